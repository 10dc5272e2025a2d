import type { JobView } from '@expunge/contracts';
import { SETTINGS } from '@expunge/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type Acceptance, isOver, isPromised } from '../acceptance/acceptance.js';
import { AcceptanceRepository } from '../acceptance/acceptance.repository.js';
import type { ApiSettings } from '../settings.js';
import { MonitorsAdapter } from '../monitors/monitors.adapter.js';
import type { PresentedFailures, PresentedJob, PresentedJobs, ShownJob } from './job-answers.js';
import { noMonitorAnswers, notSeenByMonitor, presentAcceptance, presentJob, seenByMonitor } from './job-presenter.js';
import type { FailuresListQuery, ListQuery } from './list-query.js';
import { isJobId, noSuchJob, notKnownYet, unreachable, wrongCursor } from './read-problems.js';

type Read = { kind: 'answer'; job: ShownJob } | { kind: 'not-found' } | { kind: 'unreachable' };

/** Answers from a monitor; of a job that it has not heard of, from its acceptance. */
@Injectable()
export class JobReads {
  private readonly jaeger: string | undefined;

  constructor(
    @Inject(MonitorsAdapter) private readonly monitors: MonitorsAdapter,
    @Inject(AcceptanceRepository) private readonly acceptances: AcceptanceRepository,
    @Inject(SETTINGS) { JAEGER_URL }: ApiSettings,
  ) {
    this.jaeger = JAEGER_URL;
  }

  present(job: JobView, tenant: string): PresentedJob {
    return presentJob(job, tenant, this.jaeger);
  }

  /** As nobody has seen it yet. */
  promised(acceptance: Acceptance): ShownJob {
    return { ...presentAcceptance(acceptance, this.jaeger), ...notSeenByMonitor };
  }

  /** @throws ProblemError not-found (also for another tenant's), monitor-unreachable, store-unavailable */
  async job(id: string, tenant: string): Promise<ShownJob> {
    const read = await this.read(id, tenant);
    // It may be over by now: its acceptance says nothing of that.
    if (read.kind === 'unreachable') throw unreachable(id);
    return read.kind === 'answer' ? read.job : this.unheard(id, tenant);
  }

  /** For who asks something of it: while no monitor answers, as it was accepted, which says that. @throws as `job` */
  async jobToBeAsked(id: string, tenant: string): Promise<ShownJob> {
    const read = await this.read(id, tenant);
    if (read.kind === 'answer') return read.job;
    if (read.kind === 'not-found') return this.unheard(id, tenant);
    const acceptance = await this.acceptanceOf(id, tenant);
    if (!acceptance || !isPromised(acceptance)) throw unreachable(id);
    return { ...this.promised(acceptance), diagnosis: noMonitorAnswers };
  }

  private async read(id: string, tenant: string): Promise<Read> {
    if (!isJobId(id)) throw noSuchJob();
    const read = await this.monitors.job(id, tenant);
    if (read.kind === 'unreachable') return { kind: 'unreachable' };
    if (read.kind !== 'answer') return { kind: 'not-found' };
    const { job, asOf } = read.answer;
    if (job.tenant !== tenant) throw noSuchJob();
    return { kind: 'answer', job: { ...this.present(job, tenant), ...seenByMonitor(asOf) } };
  }

  /** Of a job that a monitor says it has not heard of. */
  private async unheard(id: string, tenant: string): Promise<ShownJob> {
    const acceptance = await this.acceptanceOf(id, tenant);
    if (acceptance && isPromised(acceptance)) return this.promised(acceptance);
    throw acceptance?.state === 'pending' ? notKnownYet() : noSuchJob();
  }

  private async acceptanceOf(id: string, tenant: string): Promise<Acceptance | null> {
    const found = await this.acceptances.find(id);
    return found?.tenant === tenant && !isOver(found, new Date()) ? found : null;
  }

  /** @throws ProblemError not-found, monitor-unreachable, invalid-request (a cursor of another list) */
  async failures(id: string, query: FailuresListQuery, tenant: string): Promise<PresentedFailures> {
    if (!isJobId(id)) throw noSuchJob();
    const read = await this.monitors.failures(id, { ...query, tenant });
    if (read.kind === 'unreachable') throw unreachable(id);
    if (read.kind === 'invalid') throw wrongCursor();
    if (read.kind !== 'answer') throw noSuchJob();
    const { failures, nextCursor, asOf } = read.answer;
    return { failures, next_cursor: nextCursor, ...seenByMonitor(asOf) };
  }

  async jobs(query: ListQuery, tenant: string): Promise<PresentedJobs> {
    const read = await this.monitors.jobs({ ...query, tenant });
    if (read.kind === 'unreachable') throw unreachable();
    if (read.kind !== 'answer') throw wrongCursor();
    const { jobs, nextCursor, asOf } = read.answer;
    const own = jobs.filter((job) => job.tenant === tenant);
    return {
      jobs: own.map((job) => withoutSample(this.present(job, tenant))),
      next_cursor: nextCursor,
      ...seenByMonitor(asOf),
    };
  }
}

/** Of a page of dry runs that would be megabytes. */
function withoutSample(job: PresentedJob): PresentedJob {
  if (!job.dry_run) return job;
  const { total, total_is_estimate } = job.dry_run;
  return { ...job, dry_run: { total, total_is_estimate } };
}
