import type { ResourceDefinition } from '@expunge/contracts';
import { type DeletionJob, requestOf } from './deletion-job/deletion-job.js';

/** @throws Error this deleter was started without the job's resource: another one may know it */
export function resourceOf(job: DeletionJob, resources: ReadonlyMap<string, ResourceDefinition>): ResourceDefinition {
  const name = requestOf(job).resource;
  const resource = resources.get(name);
  if (!resource) throw new Error(`RESOURCES_FILE of this deleter has no ${name}`);
  return resource;
}
