import { BatchDelayed, DeletionFailed, type ErrorInfo, tierOf } from '@expunge/contracts';
import { type DelayCause, type DeletionJob, withLane } from './deletion-job.js';
import { emit } from './emit.js';

export interface Delay {
  cause: DelayCause;
  error: ErrorInfo;
}

/** Such a wait is by rule: no attempt, and no limit to it. */
const isIntended = (cause: DelayCause): boolean => cause === 'purge-backlog' || cause === 'still-changing';

/**
 * The job waits for `min(2^attempt, 30)` seconds. An unreachable store is no strike: it is waited for as long as
 * settings allow. Waiting that is intended (backlog, records still changing) is no attempt either.
 */
export function delay(job: DeletionJob, why: Delay, facts: { instance: string; now: Date }): DeletionJob {
  const { cause, error } = why;
  const { instance, now } = facts;
  const [lane] = job.lanes;
  const intended = isIntended(cause);
  const attempt = cause === 'still-changing' ? 0 : lane.attempt;
  const seconds = cause === 'still-changing' ? tierOf(lane.pass.stalled) : intended ? tierOf(2) : tierOf(attempt);
  const retryAt = new Date(now.getTime() + seconds * 1000);
  const before = lane.waiting?.cause === cause ? lane.waiting : null;
  const waiting = { cause, error, retryAt, since: before?.since ?? now };
  const strikes = cause === 'still-changing' ? 0 : cause === 'error' ? lane.strikes + 1 : lane.strikes;
  // Whatever is waited for by name has limits of its own.
  const noProgress = cause === 'error' ? lane.noProgress : null;
  const delayed = withLane(job, { attempt, strikes, waiting, noProgress, holder: null });
  if (intended && before) return delayed;
  return emit<BatchDelayed>(
    delayed,
    BatchDelayed,
    { cause, attempt, error, retryAt: retryAt.toISOString(), instance },
    now,
  );
}

/** Whether the job has been refused, for this same cause and without any progress, for longer than that is waited for. */
export function waitedTooLong(job: DeletionJob, cause: DelayCause, storeRetryForMs: number, now: Date): boolean {
  const [{ waiting }] = job.lanes;
  if (waiting?.cause !== cause || isIntended(cause)) return false;
  return now.getTime() - waiting.since.getTime() > storeRetryForMs;
}

/** Gives up, with the cursor where it is. A plan that could not even be read stays, and with it its keys. */
export function fail(job: DeletionJob, error: ErrorInfo, facts: { instance: string; now: Date }): DeletionJob {
  const failed: DeletionJob = { ...withLane(job, { waiting: null, holder: null }), state: 'failed' };
  return emit<DeletionFailed>(
    failed,
    DeletionFailed,
    { error, totals: job.totals, instance: facts.instance },
    facts.now,
  );
}
