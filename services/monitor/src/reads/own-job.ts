import type { JobRepository, StoredJob } from '../projection/job.repository.js';
import { ReadFailed } from './read-problem.filter.js';

/**
 * Another tenant's job is no job.
 * @throws ReadFailed not-found
 */
export async function ownJob(jobs: JobRepository, id: string, tenant: string): Promise<StoredJob> {
  const stored = await jobs.read(id);
  if (stored?.job.tenant !== tenant) throw new ReadFailed(404, 'not-found', `there is no job ${id}`);
  return stored;
}
