import { inBucket, type RecordFailure, type WireId } from '@expunge/contracts';
import {
  type DeletionJob,
  MAX_STALLED_PASSES,
  type Plan,
  type PlannedRecord,
  timing,
  withLane,
} from './deletion-job.js';

/** A record as the page shows it. Keys that cannot be read make it a failure, not a record without files. */
export interface PageRecord {
  id: WireId;
  keys: { readable: true; keys: string[] } | { readable: false; path: string };
}

/** Records after the cursor in id order, failures of this job left out. */
export interface Page {
  records: PageRecord[];
  /** The greatest id that was looked at, left out or not; null when there was none. */
  closesAt: WireId | null;
  /** Where the window of ids ends that the page was read in and did not see to its end. */
  window: WireId | null;
}

/** A page of which something is left to plan. */
export type FullPage = Page & { closesAt: WireId };
export const isFull = (page: Page): page is FullPage => page.closesAt !== null && page.records.length > 0;

/** Ids and keys of one plan, in bytes of JSON: plan, event and delete stay far from the largest document and message. */
export const PLAN_BYTES = 1_000_000;
export const keyBytes = (keys: readonly string[]): number => Buffer.byteLength(JSON.stringify(keys));

/** The plan is written first: on a slow database that alone may take its time, which the delete is given anew. */
export function deletableUntil(now: Date, writeMs: number): Date {
  return new Date(now.getTime() + timing.plan + Math.min(writeMs, timing.slowWrite));
}

/** Sorts a page into what is deleted and what stays, and notes both down before anything happens. */
export function planBatch(
  job: DeletionJob,
  page: FullPage,
  facts: { owner: string; until: Date; keyPrefix: string | null; bucket?: string | null; now: Date },
): DeletionJob {
  const [lane] = job.lanes;
  const stillChanging = lane.pass.stalled >= MAX_STALLED_PASSES;
  const records: PlannedRecord[] = [];
  const failures: RecordFailure[] = [];
  for (const record of page.records) {
    const failure = failureOf(record, facts.keyPrefix, stillChanging);
    if (failure) failures.push(failure);
    else if (record.keys.readable) records.push({ id: record.id, keys: record.keys.keys });
  }
  const plan: Plan = {
    owner: facts.owner,
    until: facts.until,
    records,
    failures,
    closesAt: page.closesAt,
    startedAt: facts.now,
    ...inBucket(facts.bucket),
  };
  return withLane(job, { plan });
}

/** Why a record stays where it is; null: it may go. */
export function failureOf(record: PageRecord, keyPrefix: string | null, stillChanging = false): RecordFailure | null {
  const { id, keys } = record;
  if (!keys.readable) {
    return { id, code: 'KEY_UNREADABLE', message: `${keys.path} holds something that is no object key` };
  }
  const bytes = keyBytes(keys.keys);
  if (bytes > PLAN_BYTES) {
    return {
      id,
      code: 'TOO_MANY_KEYS',
      message: `its ${keys.keys.length} keys are ${bytes} bytes, more than ${PLAN_BYTES}`,
    };
  }
  if (keyPrefix !== null && keys.keys.some((key) => !key.startsWith(keyPrefix))) {
    return { id, code: 'KEY_OUTSIDE_PREFIX', message: `refers to an object outside ${keyPrefix}` };
  }
  if (stillChanging) {
    return { id, code: 'STILL_CHANGING', message: 'changed between plan and delete, pass after pass' };
  }
  return null;
}

/** Somebody died or froze holding the plan and its deadline has passed: the same plan, another owner, another deadline. */
export function takeOver(job: DeletionJob, facts: { owner: string; until: Date }): DeletionJob {
  const [{ plan }] = job.lanes;
  if (!plan) throw new Error(`job ${job.id} has no plan to take over`);
  return withLane(job, { plan: { ...plan, ...facts } });
}

/** The cursor passes over a page of which nothing is left to plan. */
export function passOver(job: DeletionJob, closesAt: WireId): DeletionJob {
  return withLane(job, { cursor: closesAt });
}
