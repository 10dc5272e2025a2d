import type { ErrorInfo, RecordFailure } from '@expunge/contracts';
import { type DeletionJob, type PlannedRecord, withLane } from './deletion-job.js';
import type { Consequence } from './resolve-plan.js';

/** Of the server's words. */
const LONGEST_MESSAGE = 500;

/** The record a refusal is about: the one of its plan, if it still stands. Of several nobody knows which. */
export function refusedAlone(job: DeletionJob, { gone }: Consequence): PlannedRecord | null {
  const records = job.lanes[0].plan?.records ?? [];
  return records.length === 1 && gone === 0 ? (records[0] ?? null) : null;
}

/**
 * The record becomes a failure of its plan. Written before the failure is noted anywhere else: should the worker die in
 * between, whoever takes the plan over counts it, and does not delete what is noted as staying.
 */
export function refuseRecord(job: DeletionJob, record: PlannedRecord, why: ErrorInfo): DeletionJob {
  const [{ plan }] = job.lanes;
  if (!plan) throw new Error(`job ${job.id} has no plan that was refused`);
  const message = `${why.code}: ${why.message}`.slice(0, LONGEST_MESSAGE);
  const failure: RecordFailure = { id: record.id, code: 'DELETE_REFUSED', message };
  const records = plan.records.filter(({ id }) => id !== record.id);
  return withLane(job, { plan: { ...plan, records, failures: [...plan.failures, failure] } });
}
