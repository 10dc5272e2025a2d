import {
  ConfirmationAwaited,
  DryRunFinished,
  type ErrorInfo,
  type JobOptions,
  type RecordFailure,
  type WireId,
} from '@expunge/contracts';
import { type DeletionJob, requestOf } from './deletion-job.js';
import { emit } from './emit.js';
import type { FullPage } from './plan-batch.js';

/** Records that match, as far as they were counted: so many, or at least so many. */
export interface Counted {
  records: number;
  isAll: boolean;
}

/** So many have to be counted, at least, to tell how a job begins; null: none. */
export function countedUpTo({ dryRun, basedOn, expectedMaxRecords }: JobOptions, confirmAbove: number): number | null {
  if (dryRun) return null;
  if (expectedMaxRecords !== undefined) return expectedMaxRecords + 1;
  return basedOn === undefined ? confirmAbove + 1 : null;
}

export type Brake =
  | { brake: 'none' }
  /** Nobody said how many were expected, and these are many. */
  | { brake: 'confirm'; limit: number }
  | { brake: 'fail'; error: ErrorInfo };

/** Whether a job may begin to delete. What could not be counted in time is taken for many. */
export function brakeAtStart(options: JobOptions, counted: Counted | null, confirmAbove: number): Brake {
  const { basedOn, expectedMaxRecords } = options;
  if (expectedMaxRecords !== undefined) {
    const isMore = counted !== null && counted.records > expectedMaxRecords;
    return isMore ? { brake: 'fail', error: moreThanPlanned(expectedMaxRecords, counted) } : { brake: 'none' };
  }
  const isFew = counted?.isAll === true && counted.records <= confirmAbove;
  return basedOn !== undefined || isFew ? { brake: 'none' } : { brake: 'confirm', limit: confirmAbove };
}

/** Begun, and nothing goes before somebody confirms it. */
export function awaitConfirmation(job: DeletionJob, counted: Counted | null, limit: number, now: Date): DeletionJob {
  const { records, isAll } = counted ?? { records: 0, isAll: false };
  const data = { total: records, totalIsEstimate: !isAll, limit };
  return emit<ConfirmationAwaited>({ ...job, state: 'awaiting-confirmation' }, ConfirmationAwaited, data, now);
}

/** What a dry run shows of a record. */
export type Sampled = DryRunFinished['data']['sample'][number];

/** At its end at once: no request leads from here to a deletion. */
export function finishDryRun(job: DeletionJob, found: { counted: Counted; sample: Sampled[] }, now: Date): DeletionJob {
  const { counted, sample } = found;
  const data = { total: counted.records, totalIsEstimate: !counted.isAll, bound: job.bound, sample };
  return emit<DryRunFinished>({ ...job, state: 'dry-run-finished' }, DryRunFinished, data, now);
}

export const sampleOf = (id: WireId, objectKeys: string[], failure: RecordFailure | null): Sampled => ({
  id,
  objectKeys,
  ...(failure && { failure: { code: failure.code, message: failure.message } }),
});

/** As much of the page as may go; null: no further record may, and there is one. */
export function withinExpected(job: DeletionJob, page: FullPage): FullPage | null {
  const { expectedMaxRecords } = requestOf(job).options;
  const left = expectedMaxRecords === undefined ? page.records.length : expectedMaxRecords - job.totals.succeeded;
  if (left >= page.records.length) return page;
  const records = page.records.slice(0, Math.max(0, left));
  const last = records.at(-1);
  return last ? { records, closesAt: last.id, window: null } : null;
}

/** With what has gone, or what was counted before anything did. */
export function moreThanPlanned(expected: number, counted?: Counted): ErrorInfo {
  const message = counted
    ? `${counted.isAll ? '' : 'at least '}${counted.records} records match, more than expected_max_records, ${expected}; none was deleted`
    : `more records match than expected_max_records, ${expected}: the rest stays`;
  return { code: 'MORE_THAN_PLANNED', message };
}
