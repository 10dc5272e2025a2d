import { type DeletionJob, MAX_STRIKES, planDeadline } from './deletion-job.js';

export type SliceVerdict =
  /** Another turn is the live one, or the job is at rest: flush the outbox, write that, acknowledge. */
  | { do: 'nothing' }
  /** Live, and too early: back through a retry tier, without starting. */
  | { do: 'wait'; ms: number }
  | { do: 'start' }
  /** Its slices ended badly too often: resolve what stands by reading, then give up. */
  | { do: 'give-up' };

/**
 * What a slice message may do. Liveness is the turn alone: a redelivered message must not be judged stale by what its
 * own dead worker wrote.
 */
export function sliceVerdict(job: DeletionJob, turn: number, now: Date): SliceVerdict {
  const [lane] = job.lanes;
  // A job that is pausing or cancelling has its plan resolved by whoever holds the request; a slice must not plan again.
  if (job.state !== 'running' || lane.turn !== turn) return { do: 'nothing' };
  const early = (lane.waiting?.retryAt.getTime() ?? 0) - now.getTime();
  if (early > 0) return { do: 'wait', ms: early };
  return { do: lane.strikes >= MAX_STRIKES ? 'give-up' : 'start' };
}

/** How long a standing plan must still be left alone, by the records server's clock; 0 when it may be taken over. */
export function msUntilTakeOver(job: DeletionJob, recordsClock: Date): number {
  const [{ plan }] = job.lanes;
  return plan === null ? 0 : Math.max(0, planDeadline(plan).getTime() - recordsClock.getTime() + 1);
}
