import { positions, type Positions } from '@expunge/contracts';
import {
  type Batches,
  batchOf,
  handedOverBatches,
  type OpenBatch,
  resolvedBatches,
  unaccountedBatches,
  withBatch,
} from './batch-blocks.js';
import type { JobProjection } from './job.js';

type Change = (batch: OpenBatch) => OpenBatch;

export const handedOver =
  (keys: number, deletedAt: string): Change =>
  (batch) => ({ ...batch, keys, deletedAt: secondsOf(deletedAt) });

export const purged =
  (which: Positions): Change =>
  (batch) => ({
    ...batch,
    purged: positions.union(batch.purged, which),
    failed: positions.difference(batch.failed, which),
  });

/** Purged beats failed: the object is gone, whatever an earlier attempt met. */
export const purgeFailed =
  (which: Positions): Change =>
  (batch) => ({ ...batch, failed: positions.union(batch.failed, positions.difference(which, batch.purged)) });

export const purgeDelayed =
  (retryAt: string): Change =>
  (batch) => ({ ...batch, retryAt: Math.max(batch.retryAt ?? 0, secondsOf(retryAt)) });

const secondsOf = (time: string): number => Math.ceil(Date.parse(time) / 1000);

export function changeBatch(job: JobProjection, number: number, change: Change): JobProjection {
  const before = batchOf(job.batches, number);
  if (before === null) return job;
  const after = change(before);
  const objects = {
    purged: job.objects.purged + positions.count(after.purged) - positions.count(before.purged),
    failed: job.objects.failed + positions.count(after.failed) - positions.count(before.failed),
  };
  const resolved = after.keys === positions.count(after.purged);
  return { ...job, objects, batches: withBatch(job.batches, number, resolved ? null : after) };
}

/** Whether batches 1 … `last` were all heard of and every key of theirs is purged or has failed. */
export function accountedFor(batches: Batches, last: number): boolean {
  for (const _ of unaccountedBatches(batches)) return false;
  if (last === 0) return true;
  const known = positions.union(resolvedBatches(batches), handedOverBatches(batches));
  return positions.difference([[1, last]], known).length === 0;
}
