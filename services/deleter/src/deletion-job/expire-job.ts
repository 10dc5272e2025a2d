import type { DeletionJob, DeletionState } from './deletion-job.js';

export type ExpiryVerdict =
  /** At rest, and known to the monitor to its last event. */
  | { do: 'remove' }
  /** The monitor has not heard all of it. */
  | { do: 'tell-later-events' }
  | { do: 'keep'; why: string };

const ended: readonly DeletionState[] = ['finished', 'dry-run-finished', 'cancelled', 'failed'];

/** Whether the job may go, of which the monitor knows the events up to `sequence`. */
export function expiryVerdict(job: DeletionJob, sequence: number, now: Date): ExpiryVerdict {
  if (job.sequence > sequence) return { do: 'tell-later-events' };
  if (job.sequence < sequence) return { do: 'keep', why: 'it is not the job that the monitor knows' };
  if (!ended.includes(job.state)) return { do: 'keep', why: `it is ${job.state}` };
  if (job.pending !== null) return { do: 'keep', why: `a ${job.pending.type} is pending` };
  if (job.outbox.length > 0) return { do: 'keep', why: 'an event has not left its outbox' };
  // Of records that may be gone, the keys stand nowhere else.
  if (job.lanes.some(({ plan }) => plan !== null)) return { do: 'keep', why: 'a plan is not resolved' };
  // A repeated DeleteRequested must find the job, or it would begin anew.
  const notAfter = job.request?.notAfter;
  if (notAfter !== undefined && Date.parse(notAfter) >= now.getTime()) {
    return { do: 'keep', why: `its request is valid until ${notAfter}` };
  }
  return { do: 'remove' };
}
