import { allWorkQueues } from '@expunge/contracts';
import { ParkedQueues } from '@expunge/messaging';
import { LOGGER } from '@expunge/runtime';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { Logger } from 'pino';
import type { Caller } from '../auth/claims.js';
import { AsCaller, RequiresScope } from '../auth/requires-scope.decorator.js';
import { invalid, ProblemError } from '../problems/problem.js';
import type { PresentedParked, PresentedReplay } from './parked-answers.js';
import { presentParkedQueue, presentReplay } from './parked-presenter.js';
import { parseParkedQuery, parseReplayBody, workQueueNamed } from './parked-request.js';

/** What was given up on, of all tenants: whoever runs Expunge looks at it, and puts it back. */
@Controller('api/parked')
export class ParkedController {
  constructor(
    @Inject(ParkedQueues) private readonly parked: ParkedQueues,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @RequiresScope('ops:read')
  async list(@Query() query: unknown): Promise<PresentedParked> {
    const parsed = parseParkedQuery(query);
    if (!parsed.ok) throw invalid(parsed.errors);
    const look = async ({ name }: { name: string }) =>
      presentParkedQueue(name, await this.parked.look(name, parsed.limit));
    return { queues: await Promise.all(allWorkQueues.map(look)) };
  }

  @Post(':queue/replay')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @RequiresScope('ops:write')
  async replay(
    @Param('queue') name: string,
    @Body() body: unknown,
    @AsCaller() caller: Caller,
    @Req() request: Request,
  ): Promise<PresentedReplay> {
    const queue = workQueueNamed(name);
    const isEmpty = request.get('content-length') === '0';
    if (!isEmpty && request.is('json') === false) {
      throw new ProblemError('unsupported-media-type', 'The body must be JSON.');
    }
    const parsed = parseReplayBody(body);
    if (!parsed.ok) throw invalid(parsed.errors);
    const outcome = await this.parked.replay(queue, parsed.count);
    const { replayed, remaining, error: err } = outcome;
    this.log.info(
      { queue, asked: parsed.count, replayed, remaining, by: caller.name, tenant: caller.tenant, ...(err && { err }) },
      'parked messages were put back',
    );
    if (err) {
      const detail = `The broker took ${String(replayed)} of them, and then no more; the others are still parked.`;
      throw new ProblemError('store-unavailable', detail, { replayed, remaining }, { 'Retry-After': '2' });
    }
    return presentReplay(queue, outcome);
  }
}
