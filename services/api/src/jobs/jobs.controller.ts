import type { ResourceDefinition } from '@expunge/contracts';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AcceptService } from '../acceptance/accept.service.js';
import type { Caller } from '../auth/claims.js';
import { AsCaller, RequiresScope } from '../auth/requires-scope.decorator.js';
import { lackOf } from '../operations/listeners.js';
import { Operations } from '../operations/operations.service.js';
import { invalid, ProblemError } from '../problems/problem.js';
import { parseIdempotencyKey } from './idempotency-key.js';
import type {
  AcceptedJob,
  Listener,
  PresentedEvents,
  PresentedFailures,
  PresentedJobs,
  ShownJob,
} from './job-answers.js';
import { JobHistory } from './job-history.service.js';
import { jobPath } from './job-presenter.js';
import { JobReads } from './job-reads.service.js';
import { parseJobRequest } from './job-request.js';
import { parseEventsQuery, parseFailuresQuery, parseJobQuery, parseListQuery } from './list-query.js';
import { prefersStrict } from './prefer.js';
import { RESOURCES } from './resources.js';

@Controller('api/jobs')
export class JobsController {
  constructor(
    @Inject(AcceptService) private readonly accepting: AcceptService,
    @Inject(JobReads) private readonly reads: JobReads,
    @Inject(JobHistory) private readonly history: JobHistory,
    @Inject(Operations) private readonly operations: Operations,
    @Inject(RESOURCES) private readonly resources: ReadonlyMap<string, ResourceDefinition>,
  ) {}

  @Post()
  @HttpCode(202)
  @Header('Cache-Control', 'no-store')
  @RequiresScope('jobs:write')
  async create(
    @Body() body: unknown,
    @AsCaller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AcceptedJob> {
    if (request.is('json') === false) throw new ProblemError('unsupported-media-type', 'The body must be JSON.');
    const key = parseIdempotencyKey(request.get('idempotency-key'));
    const parsed = parseJobRequest(body, this.resources);
    if (!key.ok) throw invalid(key.errors);
    if (!parsed.ok) throw invalid(parsed.errors);
    const asked = { tenant: caller.tenant, requestedBy: caller.name, request: parsed.request };
    const isStrict = prefersStrict(request.get('prefer'));
    const looking = this.operations.listeners(caller.scopes.has('ops:read'));
    const permit = async () => {
      refuseWithoutListener(await looking);
      response.set('Preference-Applied', 'handling=strict');
    };
    const [{ acceptance, fresh }, listeners] = await Promise.all([
      this.accepting.accept(asked, key.key, isStrict ? permit : undefined),
      looking,
    ]);
    response.location(jobPath(acceptance._id));
    const job = fresh ? this.reads.promised(acceptance) : await this.reads.jobToBeAsked(acceptance._id, caller.tenant);
    return { ...job, listeners };
  }

  @Get()
  @Header('Cache-Control', 'no-store')
  @RequiresScope('jobs:read')
  list(@Query() query: unknown, @AsCaller() caller: Caller): Promise<PresentedJobs> {
    const parsed = parseListQuery(query);
    if (!parsed.ok) throw invalid(parsed.errors);
    return this.reads.jobs(parsed.query, caller.tenant);
  }

  @Get(':id/failures')
  @Header('Cache-Control', 'no-store')
  @RequiresScope('jobs:read')
  failures(@Param('id') id: string, @Query() query: unknown, @AsCaller() caller: Caller): Promise<PresentedFailures> {
    const parsed = parseFailuresQuery(query);
    if (!parsed.ok) throw invalid(parsed.errors);
    return this.reads.failures(id, parsed.query, caller.tenant);
  }

  @Get(':id/events')
  @Header('Cache-Control', 'no-store')
  @RequiresScope('jobs:read')
  events(@Param('id') id: string, @Query() query: unknown, @AsCaller() caller: Caller): Promise<PresentedEvents> {
    const parsed = parseEventsQuery(query);
    if (!parsed.ok) throw invalid(parsed.errors);
    return this.history.events(id, parsed.query, caller.tenant);
  }

  @Get(':id')
  @Header('Cache-Control', 'no-store')
  @RequiresScope('jobs:read')
  job(@Param('id') id: string, @Query() query: unknown, @AsCaller() caller: Caller): Promise<ShownJob> {
    const parsed = parseJobQuery(query, new Date());
    if (!parsed.ok) throw invalid(parsed.errors);
    const { at } = parsed.query;
    return at === undefined ? this.reads.job(id, caller.tenant) : this.history.jobAt(id, at, caller.tenant);
  }
}

/** @throws ProblemError no-listener */
function refuseWithoutListener(listeners: readonly Listener[]): void {
  const lack = lackOf(listeners);
  if (lack.length === 0) return;
  const detail = `Nothing was accepted, as handling=strict asks: ${lack.join('; ')}.`;
  throw new ProblemError('no-listener', detail, { listeners }, { 'Retry-After': '5' });
}
