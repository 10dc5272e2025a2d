import { type DeletionJob, requestOf } from './deletion-job.js';
import { pacedBatchSize } from './pace.js';

/**
 * How many records the next batch has at most: as requested, less after a refusal or a slow delete, less at a low rate.
 * @param sharedRate that of all jobs together; null: there is no limit
 */
export function batchSizeOf(job: DeletionJob, sharedRate: number | null = null): number {
  const { batchSize } = requestOf(job).options;
  const size = Math.min(batchSize, job.lanes[0].batchLimit ?? batchSize);
  return pacedBatchSize(pacedBatchSize(size, job.maxRecordsPerSecond), sharedRate);
}

/** Of so many records, refused together, the next batch has half: a single one is found in as many steps as halves. */
export const halfOf = (refused: number): number => Math.max(1, Math.floor(refused / 2));

/** A delete that takes longer than this holds others up at the records' server. */
const SLOW_MS = 500;
/** Of fewer records no delete is slow for their number. */
const FEW = 10;

/**
 * After a batch: half as many where its delete took long; twice as many, up to what was requested, where something went
 * and it took so little that a batch twice as large is not likely to be slow.
 * @param deleteMs null where nothing was deleted by it now
 */
export function batchLimitAfter(
  job: DeletionJob,
  { gone, planned, deleteMs }: { gone: number; planned: number; deleteMs: number | null },
): number | null {
  const limit = job.lanes[0].batchLimit ?? null;
  if (deleteMs !== null && deleteMs > SLOW_MS) return Math.max(halfOf(planned), Math.min(FEW, planned));
  const isQuick = deleteMs === null || deleteMs < SLOW_MS / 2;
  if (limit === null || gone === 0 || !isQuick) return limit;
  return 2 * limit < requestOf(job).options.batchSize ? 2 * limit : null;
}
