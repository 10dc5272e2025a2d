import { isDeepStrictEqual } from 'node:util';
import type { JobView } from '@expunge/contracts';
import { viewOf } from '../jobs/job-presenter.js';
import type { JobRequest } from '../jobs/job-request.js';

type DryRun = Pick<JobView, 'status' | 'resource' | 'selection' | 'options'>;

/**
 * Why a deletion cannot be based on the job; null: it can, as far as a monitor knows. Of a long list of ids that is its
 * length and the first of them: the deleter compares all, and begins nothing that differs.
 */
export function differenceFrom(job: DryRun | null, request: Pick<JobRequest, 'resource' | 'selection'>): string | null {
  if (job?.options?.dryRun !== true) return 'is no dry run';
  if (job.status !== 'completed') return `is ${job.status}, not completed`;
  if (job.resource !== request.resource) return `is of ${job.resource ?? 'another resource'}`;
  return isDeepStrictEqual(job.selection, viewOf(request.selection)) ? null : 'has another selection';
}
