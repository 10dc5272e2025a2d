import type { ErrorInfo, ResourceCheck, ResourceDefinition } from '@expunge/contracts';
import type { DeletionJob } from './deletion-job.js';
import type { FailureLimits } from './too-many-failures.js';

/** What keeps a job from its first delete: until a retry, or for as long as it stands. */
export interface Obstacle {
  then: 'fail' | 'wait';
  error: ErrorInfo;
}

/** Whether nothing has gone yet, and nothing may be going. */
export const isBeforeFirstDelete = ({ totals, lanes: [{ plan }] }: DeletionJob): boolean =>
  totals.succeeded === 0 && plan === null;

const stops = (code: string, message: string): Obstacle => ({ then: 'fail', error: { code, message } });
const holds = (code: string, message: string): Obstacle => ({ then: 'wait', error: { code, message } });

/**
 * What a storage-cleaner has found of the bucket; null: none has answered. A bucket that cannot be reached is waited
 * for. One that does not let itself be asked whether it keeps versions is taken for one that does not.
 */
export function obstacleInBucket(
  { versionedBucket }: ResourceDefinition,
  found: readonly ResourceCheck[] | null,
): Obstacle | null {
  if (found === null) {
    return holds('BUCKET_UNCHECKED', 'no storage-cleaner has said whether the bucket answers, and keeps no versions');
  }
  const wrong = (name: ResourceCheck['check']) => found.find(({ check, ok }) => check === name && ok === false);
  const versioning = wrong('versioning');
  if (versioning && versionedBucket === undefined) {
    const remedy = 'if that is meant, set "versionedBucket": "accept-delete-markers" in RESOURCES_FILE';
    return stops('VERSIONED_BUCKET', `${versioning.detail}; ${remedy}`);
  }
  const bucket = wrong('bucket');
  return bucket ? holds('BUCKET_REFUSES', bucket.detail) : null;
}

/** Of some records' keys, whosoever they are: by the share of failures at which a job would stop. */
export function obstacleInKeys(
  { keyPrefix }: ResourceDefinition,
  { keys, outside }: { keys: number; outside: number },
  { maxShare, minSample }: FailureLimits,
): Obstacle | null {
  if (keys < minSample || outside / keys <= maxShare) return null;
  const sampled = `${outside} of ${keys} sampled keys do not begin with keyPrefix, ${keyPrefix}`;
  return stops('KEYS_OUTSIDE_PREFIX', `${sampled}: more than MAX_FAILURE_SHARE`);
}

/** The records' server refuses deletes, whatever they match. */
export const deletesRefused = (message: string): Obstacle => stops('RECORDS_DENIED', message);
