import { DeletionFinished } from '@expunge/contracts';
import { type DeletionJob, withLane } from './deletion-job.js';
import { emit } from './emit.js';

export type PassEnd =
  /** A whole pass found nothing but failures: every record that matched is accounted for. */
  | 'finished'
  /** Records were deleted; more may have come up behind the cursor. */
  | 'again'
  /** Records were found and each changed before it could be deleted. */
  | 'stalled';

export function passEnd(job: DeletionJob): PassEnd {
  const [{ pass }] = job.lanes;
  if (pass.found === 0) return 'finished';
  return pass.deleted > 0 ? 'again' : 'stalled';
}

/** Back to the front; how often in a row nothing could be deleted is kept. */
export function nextPass(job: DeletionJob): DeletionJob {
  const [{ pass }] = job.lanes;
  const stalled = passEnd(job) === 'stalled' ? pass.stalled + 1 : 0;
  return withLane(job, { cursor: null, pass: { found: 0, deleted: 0, stalled } });
}

export function finish(job: DeletionJob, facts: { instance: string; now: Date }): DeletionJob {
  const rest = { attempt: 0, strikes: 0, holder: null, waiting: null };
  const done: DeletionJob = { ...withLane(job, rest), state: 'finished', finished: job.sequence + 1 };
  return emit<DeletionFinished>(done, DeletionFinished, { totals: job.totals, instance: facts.instance }, facts.now);
}
