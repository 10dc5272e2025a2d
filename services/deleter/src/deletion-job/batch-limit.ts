import { type DeletionJob, requestOf } from './deletion-job.js';
import { pacedBatchSize } from './pace.js';

/** How many records the next batch has at most: as requested, less after a refusal, less at a low rate. */
export function batchSizeOf(job: DeletionJob): number {
  const { batchSize } = requestOf(job).options;
  return pacedBatchSize(Math.min(batchSize, job.lanes[0].batchLimit ?? batchSize), job.maxRecordsPerSecond);
}

/** Of so many records, refused together, the next batch has half: a single one is found in as many steps as halves. */
export const halfOf = (refused: number): number => Math.max(1, Math.floor(refused / 2));

/** After a batch of which something went: twice as many, up to what was requested. */
export function batchLimitAfter(job: DeletionJob, gone: number): number | null {
  const limit = job.lanes[0].batchLimit ?? null;
  if (limit === null || gone === 0) return limit;
  return 2 * limit < requestOf(job).options.batchSize ? 2 * limit : null;
}
