import { RecordsVerified } from '@expunge/contracts';
import type { DeletionJob } from './deletion-job.js';
import { emit } from './emit.js';

/** Keys of a sample, of the whole job. */
export const SAMPLE_KEYS = 1000;

/** Whether it is this job, at this end of it, that was asked about: a retry has another end. */
export const isVerifiable = (job: DeletionJob, finished: number): boolean =>
  job.state === 'finished' && job.pending === null && job.finished === finished;

/** In how many messages the storage-cleaner is asked for keys: of a sample one, else one a batch. */
export function chunksOf(job: DeletionJob): number {
  const { batches, objects } = job.totals;
  if (objects === 0) return 0;
  return job.request?.options.verify === 'full' ? batches : 1;
}

/** What the records' side found, in one write with having looked. */
export function recordsVerified(
  job: DeletionJob,
  found: Pick<RecordsVerified['data'], 'left' | 'firstLeft' | 'otherTypes' | 'isComplete'>,
  facts: { instance: string; now: Date },
): DeletionJob {
  const { finished } = job;
  if (finished === null) throw new Error(`job ${job.id} has not finished`);
  return emit<RecordsVerified>(
    { ...job, verified: finished },
    RecordsVerified,
    { finished, ...found, chunks: chunksOf(job), instance: facts.instance },
    facts.now,
  );
}

/** Batches that a sample of the job is taken from, evenly over all of them, and how many keys of each. */
export function sampleOf(batches: number): { numbers: number[]; keysEach: number } {
  const count = Math.min(batches, SAMPLE_KEYS);
  const numbers = Array.from({ length: count }, (_, i) => Math.floor((i * batches) / count) + 1);
  return { numbers, keysEach: count === 0 ? 0 : Math.ceil(SAMPLE_KEYS / count) };
}
