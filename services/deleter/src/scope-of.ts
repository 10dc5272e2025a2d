import { type DeletionJob, requestOf } from './deletion-job/deletion-job.js';
import type { Scope } from './records/record-filters.js';

/** What the job may touch. */
export const scopeOf = (job: DeletionJob): Scope => ({
  tenant: job.tenant,
  selection: requestOf(job).selection,
  bound: job.bound,
});
