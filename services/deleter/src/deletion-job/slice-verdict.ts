import type { ErrorInfo } from '@expunge/contracts';
import { type DeletionJob, isOnlyPurging, MAX_STRIKES, planDeadline, timing } from './deletion-job.js';
import { msWithoutProgress, noProgress } from './no-progress.js';
import { strikesOf } from './turn.js';

export type SliceVerdict =
  /** Another turn is the live one, or the job is at rest: flush the outbox, write that, acknowledge. */
  | { do: 'nothing' }
  /** Live, and too early: back through a retry tier, without starting. */
  | { do: 'wait'; ms: number }
  /** Somebody may be at it: back through a tier, and then see whether the document was written since. */
  | { do: 'watch'; ms: number }
  | { do: 'start' }
  /** A request is pending: resolve what stands, and answer it. */
  | { do: 'answer' }
  /** Its slices ended badly too often, or came to nothing for too long: resolve what stands by reading, then give up. */
  | { do: 'give-up'; error?: ErrorInfo };

export interface SliceFacts {
  turn: number;
  now: Date;
  /** The one that judges, and whether it is itself at work on the job. */
  process: string;
  atWork: boolean;
  /** The job's last write as this message met it before; null where it meets the job for the first time. */
  seen: string | null;
  /** How long slices may be at a job without progress. */
  noProgressForMs: number;
}

/**
 * What a slice message may do. Liveness is the turn alone: a redelivered message must not be judged stale by what its
 * own dead worker wrote. It does wait until a worker that may be alive has been silent, by the document's own writes and
 * no clock: a copy of the message that started beside it would cost it its place, and the job a strike nobody earned.
 * While a plan stands, its deadline says how long to wait.
 */
export function sliceVerdict(job: DeletionJob, facts: SliceFacts): SliceVerdict {
  const [lane] = job.lanes;
  if (lane.turn !== facts.turn) return { do: 'nothing' };
  if (job.pending !== null) {
    const ms = (job.pending.waiting?.retryAt.getTime() ?? 0) - facts.now.getTime();
    return ms > 0 ? { do: 'wait', ms } : { do: 'answer' };
  }
  if (job.state !== 'running' && !isOnlyPurging(job)) return { do: 'nothing' };
  const early = (lane.waiting?.retryAt.getTime() ?? 0) - facts.now.getTime();
  if (early > 0) return { do: 'wait', ms: early };
  const ms = msWithoutProgress(lane, facts.now);
  // Also where somebody is at it still: a slice that hangs would be watched for ever. A cancelled job cannot fail.
  if (ms > facts.noProgressForMs && !isOnlyPurging(job)) return { do: 'give-up', error: noProgress(ms) };
  if (lane.plan === null && mayBeAtWork(job, facts)) return { do: 'watch', ms: timing.silence };
  if (isOnlyPurging(job)) return { do: 'start' };
  return { do: strikesOf(lane, facts.process) >= MAX_STRIKES ? 'give-up' : 'start' };
}

function mayBeAtWork({ lanes: [{ holder }], writtenAt }: DeletionJob, { process, atWork, seen }: SliceFacts): boolean {
  if (holder === null) return false;
  return holder === process ? atWork : seen !== writtenAt.toISOString();
}

/** How long a standing plan must still be left alone, by the records server's clock; 0 when it may be taken over. */
export function msUntilTakeOver(job: DeletionJob, recordsClock: Date): number {
  const [{ plan }] = job.lanes;
  return plan === null ? 0 : Math.max(0, planDeadline(plan).getTime() - recordsClock.getTime() + 1);
}
