import { positions } from '@expunge/contracts';
import { batchOf, failedOf } from '../projection/batch-blocks.js';
import type { JobProjection } from '../projection/job.js';
import { presentObjects, verificationOf } from '../projection/verification.js';
import type { Failure } from './failures-in.js';

/** Tells the failures that still hold from those that a retry, or a later look, has made good. */
export function standing(
  job: JobProjection,
): (failure: Pick<Failure, 'kind' | 'batch' | 'position' | 'round'>) => boolean {
  const verification = verificationOf(job);
  const present = new Map(verification ? presentObjects(job, verification) : []);
  return ({ kind, batch, position, round }) => {
    switch (kind) {
      case 'record':
        return true;
      case 'object': {
        const known = batchOf(job.batches, batch ?? 0);
        return known !== null && positions.has(failedOf(known), position ?? -1);
      }
      case 'record-left':
        return verification?.finished === round;
      case 'object-left':
        return verification?.finished === round && positions.has(present.get(batch ?? 0) ?? [], position ?? -1);
    }
  };
}
