import { inBucket, type Positions, positions, PurgeRequested } from '@expunge/contracts';
import type { DeletionJob } from './deletion-job.js';
import { emit } from './emit.js';

/** Purges of one batch that the storage-cleaner gave up, in rounds before the job's last retry. */
export interface FailedPurges {
  batch: number;
  positions: Positions;
  /** Of what the storage-cleaner said: forgotten once it is asked again. */
  events: string[];
}

/**
 * Asks for them again. Time has passed since their records went: a key that some record refers to by now stays.
 * @param facts.keys of the whole batch, by position
 * @param facts.bucket of the batch, whatever its resource's is by now
 */
export function purgeAgain(
  job: DeletionJob,
  failed: Pick<FailedPurges, 'batch' | 'positions'>,
  facts: { keys: readonly string[]; bucket?: string; referred: ReadonlySet<string>; now: Date },
): DeletionJob {
  const { keys, bucket, referred, now } = facts;
  const known = [...positions.each(failed.positions)].flatMap((at) => {
    const key = keys[at];
    return key === undefined ? [] : [{ at, key }];
  });
  const wanted = known.filter(({ key }) => !referred.has(key));
  const retained = positions.positionsOf(known.filter(({ key }) => referred.has(key)).map(({ at }) => at));
  return emit<PurgeRequested>(
    job,
    PurgeRequested,
    {
      batch: failed.batch,
      positions: positions.positionsOf(wanted.map(({ at }) => at)),
      objectKeys: wanted.map(({ key }) => key),
      since: now.toISOString(),
      round: job.purgeRound,
      ...(retained.length > 0 && { retained }),
      ...inBucket(bucket),
    },
    now,
  );
}
