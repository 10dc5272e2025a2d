import type { JobView } from '@expunge/contracts';
import { SETTINGS } from '@expunge/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type Acceptance, isOver, isPromised } from '../acceptance/acceptance.js';
import { AcceptanceRepository } from '../acceptance/acceptance.repository.js';
import type { ApiSettings } from '../settings.js';
import { MonitorsAdapter } from '../monitors/monitors.adapter.js';
import type { PresentedFailures, PresentedJob, PresentedJobs, ShownJob } from './job-answers.js';
import { notSeenByMonitor, presentAcceptance, presentJob, seenByMonitor } from './job-presenter.js';
import type { FailuresListQuery, ListQuery } from './list-query.js';
import { isJobId, noSuchJob, notKnownYet, unreachable, wrongCursor } from './read-problems.js';

/** Answers from a monitor; of a job no monitor tells anything about, from its acceptance. */
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
    if (!isJobId(id)) throw noSuchJob();
    const read = await this.monitors.job(id, tenant);
    if (read.kind === 'answer') {
      const { job, asOf } = read.answer;
      if (job.tenant !== tenant) throw noSuchJob();
      return { ...this.present(job, tenant), ...seenByMonitor(asOf) };
    }
    const found = await this.acceptances.find(id);
    const acceptance = found?.tenant === tenant && !isOver(found, new Date()) ? found : null;
    if (acceptance && isPromised(acceptance)) return this.promised(acceptance);
    if (read.kind === 'unreachable') throw unreachable();
    throw acceptance?.state === 'pending' ? notKnownYet() : noSuchJob();
  }

  /** @throws ProblemError not-found, monitor-unreachable, invalid-request (a cursor of another list) */
  async failures(id: string, query: FailuresListQuery, tenant: string): Promise<PresentedFailures> {
    if (!isJobId(id)) throw noSuchJob();
    const read = await this.monitors.failures(id, { ...query, tenant });
    if (read.kind === 'unreachable') throw unreachable();
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
