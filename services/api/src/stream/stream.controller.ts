import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Caller } from '../auth/claims.js';
import { AsCaller, RequiresScope } from '../auth/requires-scope.decorator.js';
import { JobReads } from '../jobs/job-reads.service.js';
import { invalid } from '../problems/problem.js';
import { isOver, retryFrame } from './frames.js';
import { parseStreamStart } from './stream-start.js';
import { StreamClient } from './stream-client.js';
import { Streams } from './streams.service.js';

/** How soon a client comes back that was cut. */
const RETRY_MS = 2_000;

@Controller('api/jobs/:id/stream')
export class StreamController {
  constructor(
    @Inject(Streams) private readonly streams: Streams,
    @Inject(JobReads) private readonly reads: JobReads,
  ) {}

  @Get()
  @RequiresScope('jobs:read')
  async stream(
    @Param('id') id: string,
    @Query() query: unknown,
    @AsCaller() caller: Caller,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const start = parseStreamStart(query, request.get('last-event-id'));
    if (!start.ok) throw invalid(start.errors);
    const job = await this.reads.job(id, caller.tenant);
    // Somebody who has heard it all comes back, as browsers do: by this status they stop (HTML, 9.2.2).
    if (start.isResumed && isOver(job) && (await this.streams.hasNothingAfter(id, caller.tenant, start.after))) {
      response.status(204).end();
      return;
    }
    // Its client has left meanwhile, and no 'close' will come.
    if (response.closed) return;
    this.streams.admit(caller.tenant);
    response.status(200).set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      // For nginx, which would keep events back to fill its buffer.
      'X-Accel-Buffering': 'no',
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.flushHeaders();
    response.write(retryFrame(RETRY_MS));
    const client = new StreamClient(response, start.after);
    const isTokenOver = setTimeout(
      () => client.sendAway(0),
      Math.min(caller.expiresAt.getTime() - Date.now(), 2 ** 31 - 1),
    );
    response.once('close', () => clearTimeout(isTokenOver));
    await this.streams.follow(id, caller.tenant, client);
  }
}
