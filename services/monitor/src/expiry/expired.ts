import { JobExpired, jobExpiredId } from '@expunge/contracts';
import type { JobProjection } from '../projection/job.js';
import type { LedgerMessage } from '../projection/recorded.js';
import { SOURCE } from '../projection/status.js';

/**
 * A job outlives its request's validity by this, however short it is kept: until notAfter a repeated DeleteRequested
 * must find it, and for a day longer the api tells of it from its acceptance.
 */
export const PAST_VALIDITY_MS = 2 * 86_400_000;

/** Whether the job may be forgotten. One whose request was never heard may not: that may still come. */
export function hasExpired(job: JobProjection, retentionMs: number, now: Date): boolean {
  if (!job.settled || !job.request) return false;
  const { notAfter } = job.request;
  return isPast(job.updatedAt, retentionMs, now) && isPast(notAfter, PAST_VALIDITY_MS, now);
}

const isPast = (time: string, ms: number, now: Date): boolean => Date.parse(time) + ms < now.getTime();

export function jobExpired(job: Pick<JobProjection, 'id' | 'tenant' | 'sequence' | 'position'>, now: Date): JobExpired {
  const { id, tenant, sequence, position } = job;
  return JobExpired.create({
    id: jobExpiredId(id, position),
    source: SOURCE,
    subject: id,
    time: now.toISOString(),
    tenantid: tenant ?? undefined,
    data: { sequence, position },
  });
}

/** Requested after the job with this id expired, under an idempotency key that was free again. */
export const isAnotherJob = (firstAt: string, expiredAt: string): boolean =>
  Date.parse(firstAt) > Date.parse(expiredAt);

/** Of a job that is gone, only this is no late repetition. */
export const beginsAnew = (message: LedgerMessage, expiredAt: string): boolean =>
  message.type === 'DeleteRequested' && isAnotherJob(message.time, expiredAt);
