import { positions, type Positions } from '@expunge/contracts';
import type { Batches, JobProjection, OpenBatch } from './job.js';
import { laterOf } from './order.js';

const unheard: OpenBatch = { keys: null, deletedAt: null, purged: [], failed: [], retryAt: null };

type Change = (batch: OpenBatch) => OpenBatch;

export const handedOver =
  (keys: number, deletedAt: string): Change =>
  (batch) => ({ ...batch, keys, deletedAt });

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
  (batch) => ({ ...batch, retryAt: laterOf(batch.retryAt, retryAt) });

export function changeBatch(job: JobProjection, number: number, change: Change): JobProjection {
  if (positions.has(job.batches.resolved, number)) return job;
  const before = job.batches.open[number] ?? unheard;
  const after = change(before);
  const objects = {
    purged: job.objects.purged + positions.count(after.purged) - positions.count(before.purged),
    failed: job.objects.failed + positions.count(after.failed) - positions.count(before.failed),
  };
  return { ...job, objects, batches: withBatch(job.batches, number, after) };
}

function withBatch(batches: Batches, number: number, batch: OpenBatch): Batches {
  if (batch.keys !== positions.count(batch.purged)) {
    return { ...batches, open: { ...batches.open, [number]: batch } };
  }
  const open = Object.fromEntries(Object.entries(batches.open).filter(([key]) => key !== String(number)));
  return { resolved: positions.union(batches.resolved, [[number, number]]), open };
}

/** Keys neither purged nor failed; null while it is not known how many there are. */
export function pendingKeys(batch: OpenBatch): number | null {
  if (batch.keys === null) return null;
  return Math.max(0, batch.keys - positions.count(batch.purged) - positions.count(batch.failed));
}

/** Whether batches 1 … `last` were all heard of and every key of theirs is purged or has failed. */
export function accountedFor(batches: Batches, last: number): boolean {
  const open = Object.entries(batches.open);
  if (open.some(([, batch]) => pendingKeys(batch) !== 0)) return false;
  return unknownBatches(batches, last).length === 0;
}

/** Numbers up to `last` of which no BatchDeleted was heard. */
export function unknownBatches(batches: Batches, last: number): Positions {
  if (last === 0) return [];
  const handed = Object.entries(batches.open).filter(([, batch]) => batch.keys !== null);
  const known = positions.union(batches.resolved, positions.positionsOf(handed.map(([number]) => Number(number))));
  return positions.difference([[1, last]], known);
}
