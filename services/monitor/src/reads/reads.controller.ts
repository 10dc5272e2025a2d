import type {
  ActiveJobsAnswer,
  EventsAnswer,
  FailuresAnswer,
  JobAnswer,
  JobsAnswer,
  KnownJobsAnswer,
  ResourceDefinition,
  ResourcesAnswer,
} from '@expunge/contracts';
import { Controller, Get, Inject, Param, Query, UseFilters } from '@nestjs/common';
import { DiagnosisService } from '../diagnosis/diagnosis.service.js';
import { FailuresRepository, type ListedFailure } from '../failures/failures.repository.js';
import { standing } from '../failures/still-stands.js';
import { FoldMarkRepository } from '../fold/fold-mark.repository.js';
import { LedgerRepository } from '../ledger/ledger.repository.js';
import { JobRepository } from '../projection/job.repository.js';
import { missingIndexesOf } from '../workers/told-by-deleters.js';
import { WorkerRepository } from '../workers/worker.repository.js';
import { failureView, jobView } from './job-view.js';
import { eventView } from './event-view.js';
import { ownJob } from './own-job.js';
import {
  ActiveJobsQuery,
  EventsQuery,
  FailuresQuery,
  JobQuery,
  JobsQuery,
  KnownJobsQuery,
  writeCursor,
  writeFailureCursor,
} from './queries.js';
import { parseQuery, ReadProblemFilter } from './read-problem.filter.js';

export const RESOURCES = Symbol('Resources');

/** An older heartbeat tells nothing of now. */
const HEARTBEAT_FRESH_MS = 15_000;
const FAILURES_AT_ONCE = 500;

/** For the api alone: it authenticates, and names the tenant. Any instance answers, from the database. */
@Controller('internal')
@UseFilters(ReadProblemFilter)
export class ReadsController {
  constructor(
    private readonly jobs: JobRepository,
    private readonly ledger: LedgerRepository,
    private readonly workers: WorkerRepository,
    private readonly marks: FoldMarkRepository,
    private readonly failures: FailuresRepository,
    private readonly diagnosis: DiagnosisService,
    @Inject(RESOURCES) private readonly resources: ReadonlyMap<string, ResourceDefinition>,
  ) {}

  @Get('jobs/:id')
  async job(@Param('id') id: string, @Query() query: unknown): Promise<JobAnswer> {
    const { tenant } = parseQuery(JobQuery, query);
    const circumstances = await this.diagnosis.recent();
    const stored = await ownJob(this.jobs, id, tenant);
    const { code, severity, since, summary } = this.diagnosis.of(stored, circumstances);
    const job = {
      ...jobView(stored.job, new Date()),
      diagnosis: code === null ? null : { code, severity, since, summary },
    };
    return { asOf: circumstances.asOf, job };
  }

  @Get('jobs')
  async list(@Query() query: unknown): Promise<JobsAnswer> {
    const { tenant, status, resource, cursor, limit } = parseQuery(JobsQuery, query);
    const asOf = await this.marks.asOf();
    const found = await this.jobs.page({
      tenant,
      statuses: status ?? null,
      resource: resource ?? null,
      before: cursor ?? null,
      limit: limit + 1,
    });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const nextCursor = last && found.length > limit ? writeCursor(last) : null;
    const now = new Date();
    return { asOf, jobs: page.map((job) => jobView(job, now)), nextCursor };
  }

  @Get('active-jobs')
  async active(@Query() query: unknown): Promise<ActiveJobsAnswer> {
    const { after, limit } = parseQuery(ActiveJobsQuery, query);
    const asOf = await this.marks.asOf();
    const { jobs, next } = await this.jobs.active(after, limit);
    return { asOf, jobs, next };
  }

  @Get('known-jobs')
  async known(@Query() query: unknown): Promise<KnownJobsAnswer> {
    const { ids } = parseQuery(KnownJobsQuery, query);
    return { known: await this.jobs.known(ids) };
  }

  @Get('jobs/:id/events')
  async events(@Param('id') id: string, @Query() query: unknown): Promise<EventsAnswer> {
    const { tenant, after, limit } = parseQuery(EventsQuery, query);
    const asOf = await this.marks.asOf();
    await ownJob(this.jobs, id, tenant);
    const found = await this.ledger.eventsOf(id, after, limit + 1, tenant);
    const page = found.slice(0, limit);
    return { asOf, events: page.map(eventView), next: found.length > limit ? (page.at(-1)?.position ?? null) : null };
  }

  @Get('jobs/:id/failures')
  async failuresOf(@Param('id') id: string, @Query() query: unknown): Promise<FailuresAnswer> {
    const { tenant, cursor, limit } = parseQuery(FailuresQuery, query);
    const asOf = await this.marks.asOf();
    const stands = standing((await ownJob(this.jobs, id, tenant)).job);
    const found: ListedFailure[] = [];
    let after = cursor ?? null;
    for (;;) {
      const page = await this.failures.page(id, after, FAILURES_AT_ONCE);
      found.push(...page.filter(stands));
      after = page.at(-1) ?? null;
      if (after === null || page.length < FAILURES_AT_ONCE || found.length > limit) break;
    }
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    const nextCursor = last && found.length > limit ? writeFailureCursor(last) : null;
    return { asOf, failures: shown.map(failureView), nextCursor };
  }

  @Get('resources')
  async missingIndexes(): Promise<ResourcesAnswer> {
    const asOf = await this.marks.asOf();
    const [freshest] = await this.workers.of('deleter', HEARTBEAT_FRESH_MS);
    const resources = [...this.resources.keys()].map((name) => ({
      name,
      missingIndexes: missingIndexesOf(name, freshest?.beat ?? null),
      heardAt: freshest?.receivedAt.toISOString() ?? null,
    }));
    return { asOf, resources };
  }
}
