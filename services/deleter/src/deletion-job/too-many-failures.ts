import type { ErrorInfo } from '@expunge/contracts';
import type { DeletionJob } from './deletion-job.js';

export interface FailureLimits {
  /** Of the records processed since the start or the last retry; 1: never too many. */
  maxShare: number;
  /** So many must have been processed before their share says anything. */
  minSample: number;
}

/** Why the job is to fail: something is wrong with more than single records. Null: it may go on. */
export function tooManyFailures(job: DeletionJob, { maxShare, minSample }: FailureLimits): ErrorInfo | null {
  const { succeeded, failed } = job.retriedFrom ?? { succeeded: 0, failed: 0 };
  const failures = job.totals.failed - failed;
  const processed = failures + job.totals.succeeded - succeeded;
  if (processed < minSample || failures <= maxShare * processed) return null;
  const since = job.retriedFrom ? ' since the last retry' : '';
  return { code: 'TOO_MANY_FAILURES', message: `${failures} of ${processed} records could not be deleted${since}` };
}
