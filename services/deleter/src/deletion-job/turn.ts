import { type DeletionJob, withLane } from './deletion-job.js';

/** Counted before any work, so that a message that kills its worker each time is counted too. */
export function startSlice(job: DeletionJob): DeletionJob {
  const [lane] = job.lanes;
  return withLane(job, { attempt: lane.attempt + 1, strikes: lane.strikes + 1 });
}

/** Its worker lives and stopped for a reason it knows. */
export function forgive(job: DeletionJob): DeletionJob {
  return withLane(job, { strikes: Math.max(0, job.lanes[0].strikes - 1) });
}

/** The live message becomes the next one. Only here: a watchdog that took turns would starve every queued slice. */
export function endSlice(job: DeletionJob): DeletionJob {
  const [lane] = job.lanes;
  return withLane(job, { turn: lane.turn + 1, attempt: 0, strikes: 0 });
}
