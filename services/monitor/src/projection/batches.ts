import { positions, type Positions } from '@expunge/contracts';
import {
  type Batches,
  batchOf,
  failedOf,
  handedOverBatches,
  type OpenBatch,
  resolvedBatches,
  unaccountedBatches,
  withBatch,
} from './batch-blocks.js';
import { keptIn, promisedIn, roundOf, withAsked, withFailed, withoutPurged, withPromise } from './again.js';
import type { JobProjection } from './job.js';

type Change = (batch: OpenBatch) => OpenBatch;

export const handedOver =
  (keys: number, deletedAt: string): Change =>
  (batch) =>
    roundOf(batch.again) > 0 ? { ...batch, keys } : { ...batch, keys, deletedAt: secondsOf(deletedAt) };

export const purged =
  (which: Positions): Change =>
  (batch) => {
    const all = positions.union(batch.purged, which);
    const { again } = batch;
    return {
      ...batch,
      purged: all,
      failed: positions.difference(batch.failed, which),
      ...(again && { again: withoutPurged(again, all) }),
    };
  };

/** Purged beats failed: the object is gone, whatever an earlier attempt met. */
export const purgeFailed =
  (which: Positions, round = 0): Change =>
  (batch) => {
    const standing = positions.difference(which, batch.purged);
    return round === 0
      ? { ...batch, failed: positions.union(batch.failed, standing) }
      : { ...batch, again: withFailed(batch.again, round, standing) };
  };

/** What was promised under an earlier retry is of no matter once a later one has asked. */
export const purgeDelayed =
  (retryAt: string, round = 0): Change =>
  (batch) => {
    const promised = promisedIn(batch.again);
    if (round < promised) return batch;
    const at = Math.max(round === promised ? (batch.retryAt ?? 0) : 0, secondsOf(retryAt));
    return { ...batch, retryAt: at, ...(round > 0 && { again: withPromise(batch.again, round) }) };
  };

/** The deleter asks again for what had failed, but for what some record refers to by now. */
export const askedAgain =
  (asked: { round: number; positions: Positions; retained: Positions; at: string }): Change =>
  (batch) => {
    const { round, at } = asked;
    const standing = (which: Positions) => positions.difference(which, batch.purged);
    const earlier = roundOf(batch.again) > 0 ? (batch.deletedAt ?? 0) : 0;
    return {
      ...batch,
      deletedAt: Math.max(earlier, secondsOf(at)),
      again: withAsked(batch.again, round, standing(asked.positions), standing(asked.retained)),
    };
  };

const secondsOf = (time: string): number => Math.ceil(Date.parse(time) / 1000);

export function changeBatch(job: JobProjection, number: number, change: Change): JobProjection {
  const before = batchOf(job.batches, number);
  if (before === null) return job;
  const after = change(before);
  const objects = {
    purged: job.objects.purged + positions.count(after.purged) - positions.count(before.purged),
    failed: job.objects.failed + positions.count(failedOf(after)) - positions.count(failedOf(before)),
    kept: job.objects.kept + positions.count(keptIn(after.again)) - positions.count(keptIn(before.again)),
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
