import { Inject, Injectable } from '@nestjs/common';
import { MonitorsAdapter } from '../monitors/monitors.adapter.js';
import type { PresentedEvents, PresentedState } from './job-answers.js';
import { notSeenByMonitor, seenByMonitor } from './job-presenter.js';
import { JobReads } from './job-reads.service.js';
import type { EventsListQuery } from './list-query.js';
import { isJobId, noSuchJob, notKnownThen, unreachable } from './read-problems.js';

/** What became of a job, from a monitor's ledger. */
@Injectable()
export class JobHistory {
  constructor(
    @Inject(MonitorsAdapter) private readonly monitors: MonitorsAdapter,
    @Inject(JobReads) private readonly reads: JobReads,
  ) {}

  /** By position. Of a job that no monitor has heard of yet: none, and says so. @throws ProblemError as `JobReads.job` */
  async events(id: string, query: EventsListQuery, tenant: string): Promise<PresentedEvents> {
    if (!isJobId(id)) throw noSuchJob();
    const read = await this.monitors.events(id, { ...query, tenant });
    if (read.kind === 'not-found') {
      await this.reads.job(id, tenant);
      return { events: [], next: null, ...notSeenByMonitor };
    }
    if (read.kind !== 'answer') throw unreachable(id);
    const { events, next, asOf } = read.answer;
    return { events, next, ...seenByMonitor(asOf) };
  }

  /** The job as it was told at a moment. @throws ProblemError as `JobReads.job`; not-found if it was not known then */
  async jobAt(id: string, at: string, tenant: string): Promise<PresentedState> {
    if (!isJobId(id)) throw noSuchJob();
    const read = await this.monitors.jobAt(id, tenant, at);
    if (read.kind === 'answer') {
      const { job, asOf } = read.answer;
      return { ...this.reads.present(job, tenant), at, ...seenByMonitor(asOf) };
    }
    if (read.kind === 'not-found') await this.reads.job(id, tenant);
    if (read.kind === 'not-found' || read.kind === 'not-known-then') throw notKnownThen(at);
    throw unreachable(id);
  }
}
