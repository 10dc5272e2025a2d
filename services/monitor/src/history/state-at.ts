import type { EventOfJob } from '../ledger/ledger.repository.js';
import { JobFold } from '../projection/job-fold.js';
import type { JobProjection } from '../projection/job.js';

/**
 * The job as it was told by what had been heard of it at a moment; null: nothing. The pages are its events by position,
 * and the fold stops at the first one that was heard later. Where the clocks of two monitors disagree, that is a state
 * that was, while a choice by each event's time might never have been.
 */
export async function stateAt(pages: AsyncIterable<Iterable<EventOfJob>>, at: Date): Promise<JobProjection | null> {
  const fold = new JobFold();
  for await (const page of pages) {
    for (const event of page) {
      if (event.receivedAt > at) return fold.job;
      fold.add(event);
    }
  }
  return fold.job;
}
