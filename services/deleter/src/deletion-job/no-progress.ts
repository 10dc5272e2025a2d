import type { ErrorInfo } from '@expunge/contracts';
import { type DeletionJob, type Lane, withLane } from './deletion-job.js';

/** A longer silence says that nobody was at it: while no deleter runs, a job does not fail. */
const LONGEST_GAP_MS = 60_000;

/** A slice is at it: the time since that was last said counts as one without progress, until there is some. */
export function stillAtIt(job: DeletionJob, now: Date): DeletionJob {
  return withLane(job, { noProgress: { ms: msWithoutProgress(job.lanes[0], now), at: now } });
}

export function msWithoutProgress({ noProgress }: Lane, now: Date): number {
  if (!noProgress) return 0;
  const gap = now.getTime() - noProgress.at.getTime();
  return noProgress.ms + Math.min(Math.max(0, gap), LONGEST_GAP_MS);
}

export const noProgress = (ms: number): ErrorInfo => ({
  code: 'NO_PROGRESS',
  message: `no batch was resolved and no page passed over in ${Math.round(ms / 1000)} s of work on the job`,
});
