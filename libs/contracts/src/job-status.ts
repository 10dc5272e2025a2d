import { z } from 'zod';

/** How a job stands, as the fold tells it. That a job does not move is no status: its diagnosis says so. */
export const jobStatuses = [
  /** Accepted; no deleter has started it. */
  'queued',
  /** More records matched than were expected: a person has to say go on. */
  'awaiting_confirmation',
  /** Records are being deleted, or wait for a retry. */
  'running',
  /** Asked to pause; the batch under way is still being resolved. */
  'pausing',
  /** No record goes until it is resumed. */
  'paused',
  /** Asked to cancel; the batch under way is still being resolved. */
  'cancelling',
  /** No further record goes; objects of those already deleted are still purged. */
  'cancelled',
  /** The records are done; objects still wait. */
  'purging',
  /** Nothing waits; what is left in the stores is being looked for. */
  'verifying',
  /** Everything that was selected is gone; of a dry run: has been counted. */
  'completed',
  /** Done, and something stayed: records with a failure, objects that could not be purged. */
  'completed_with_residue',
  /** Given up, or refused; what was deleted until then stays deleted, and its objects are still purged. */
  'failed',
] as const;
export const JobStatus = z.enum(jobStatuses);
export type JobStatus = z.infer<typeof JobStatus>;
