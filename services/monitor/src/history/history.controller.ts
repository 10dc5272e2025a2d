import type { Socket } from 'node:net';
import type { JobAnswer } from '@expunge/contracts';
import { Controller, Get, Param, Query, Req, UseFilters } from '@nestjs/common';
import { FoldMarkRepository } from '../fold/fold-mark.repository.js';
import { LedgerRepository } from '../ledger/ledger.repository.js';
import { JobRepository } from '../projection/job.repository.js';
import { jobView } from '../reads/job-view.js';
import { ownJob } from '../reads/own-job.js';
import { StateQuery } from '../reads/queries.js';
import { parseQuery, ReadFailed, ReadProblemFilter } from '../reads/read-problem.filter.js';
import { stateAt } from './state-at.js';

/** For the api alone, as all of `/internal`: what a job was like. */
@Controller('internal')
@UseFilters(ReadProblemFilter)
export class HistoryController {
  constructor(
    private readonly jobs: JobRepository,
    private readonly ledger: LedgerRepository,
    private readonly marks: FoldMarkRepository,
  ) {}

  /** Folds all that was heard of the job by then: the answer may take seconds where that is much. */
  @Get('jobs/:id/state')
  async state(
    @Param('id') id: string,
    @Query() query: unknown,
    @Req() { socket }: { socket: Socket },
  ): Promise<JobAnswer> {
    const { tenant, at } = parseQuery(StateQuery, query);
    const asOf = await this.marks.asOf();
    await ownJob(this.jobs, id, tenant);
    const job = await stateAt(whileWanted(this.ledger.pagesOf(id), socket), at);
    // Whose it is may have been told otherwise then: that is not for this tenant either.
    if (!job || (job.tenant ?? tenant) !== tenant) {
      throw new ReadFailed(404, 'not-known-then', `nothing had been heard of ${id} at ${at.toISOString()}`);
    }
    return { asOf, job: jobView(job, at) };
  }
}

/** A long fold for somebody who has gone would only slow down the others. */
async function* whileWanted(pages: ReturnType<LedgerRepository['pagesOf']>, socket: Socket): typeof pages {
  for await (const page of pages) {
    if (socket.destroyed) return;
    yield page;
  }
}
