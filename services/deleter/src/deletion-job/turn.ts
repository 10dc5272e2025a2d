import { type DeletionJob, type Lane, withLane } from './deletion-job.js';

/**
 * Strikes once the last start is judged. A process that starts again lives, so its own last slice ended in something it
 * knew; one that somebody else started and never ended, ended with its worker.
 */
export function strikesOf({ holder, strikes }: Lane, process: string): number {
  return holder === null || holder === process ? strikes : strikes + 1;
}

/** Counted before any work, so that a message that kills its worker each time is counted too. */
export function startSlice(job: DeletionJob, process: string): DeletionJob {
  const [lane] = job.lanes;
  return withLane(job, { attempt: lane.attempt + 1, strikes: strikesOf(lane, process), holder: process });
}

/** Its worker lives and stopped for a reason it knows. */
export function release(job: DeletionJob): DeletionJob {
  return withLane(job, { holder: null, noProgress: null });
}

/**
 * The limit of all jobs is used up: its start was no attempt. Where it got on meanwhile its slice has ended, so that no
 * copy of the message lives on.
 */
export function putBack(job: DeletionJob): DeletionJob {
  const [{ attempt }] = job.lanes;
  return attempt === 0 ? endSlice(job) : release(withLane(job, { attempt: attempt - 1 }));
}

/** The live message becomes the next one. Only here: a watchdog that took turns would starve every queued slice. */
export function endSlice(job: DeletionJob): DeletionJob {
  const [lane] = job.lanes;
  return withLane(job, { turn: lane.turn + 1, attempt: 0, strikes: 0, holder: null, waiting: null, noProgress: null });
}
