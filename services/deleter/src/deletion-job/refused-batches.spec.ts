import type { WireId } from '@expunge/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchLimitAfter, batchSizeOf } from './batch-limit.js';
import { type DeletionJob, withLane } from './deletion-job.js';
import { nextPass, passEnd } from './end-pass.js';
import { at, page, planFacts, record, request, runningJob } from './given.js';
import { passOver, planBatch } from './plan-batch.js';
import { refusedAlone, refuseRecord } from './refuse-record.js';
import { consequenceOf, resolvePlan } from './resolve-plan.js';

const why = { code: 'DocumentValidationFailure', message: 'no' };
const jobOf = (batchSize: number): DeletionJob =>
  runningJob({ request: { ...request.data, options: { batchSize } }, outbox: [] });
const idOf = (n: number): string => String(n).padStart(4, '0');

/** A server that deletes record by record, and stops at one that it refuses; or looks first, and then deletes nothing. */
function server(count: number, refuses: ReadonlySet<string>, looksFirst = false) {
  const records = new Set(Array.from({ length: count }, (_, n) => idOf(n)));
  const remove = (ids: readonly WireId[]): boolean => {
    if (looksFirst && ids.some((id) => refuses.has(String(id)))) return false;
    for (const id of ids.map(String)) {
      if (refuses.has(id)) return false;
      records.delete(id);
    }
    return true;
  };
  return { records, remove };
}

/** As the services do, without anything going wrong between two steps. Null: it goes on for ever. */
function run(job: DeletionJob, { records, remove }: ReturnType<typeof server>, most: number) {
  const sizes: number[] = [];
  const failures: string[] = [];
  const facts = { newlyRetained: [], instance: 'd1', now: at(2), recordsNow: at(2) };
  for (let step = 0; step < most; step++) {
    const { plan, cursor } = job.lanes[0];
    if (plan) {
      if (plan.records.length > 0) sizes.push(plan.records.length);
      const wasRefused = !remove(plan.records.map(({ id }) => id));
      const standing = new Map(plan.records.filter(({ id }) => records.has(String(id))).map(({ id }) => [id, []]));
      const consequence = consequenceOf(plan, {
        standing: standing as ReadonlyMap<string, string[]>,
        referred: new Set(),
        heldOutside: new Set(),
      });
      const alone = wasRefused ? refusedAlone(job, consequence) : null;
      if (!alone) failures.push(...plan.failures.map(({ id }) => String(id)));
      job = alone ? refuseRecord(job, alone, why) : resolvePlan(job, consequence, { ...facts, wasRefused });
      continue;
    }
    const ids = [...records].sort().filter((id) => cursor === null || id > String(cursor));
    const seen = ids.slice(0, batchSizeOf(job));
    const last = seen.at(-1);
    if (last === undefined) {
      if (passEnd(job) === 'finished') return { job, sizes, failures };
      job = nextPass(job);
      continue;
    }
    const left = seen.filter((id) => !failures.includes(id));
    const found = { ...page(...left.map((id) => record(id))), closesAt: last };
    job = left.length === 0 ? passOver(job, last) : planBatch(job, found, { ...planFacts, keyPrefix: null });
  }
  return null;
}

describe('a batch that the server refuses', () => {
  it('is halved until the record is alone, which becomes a failure; then batches grow again', () => {
    const records = server(16, new Set([idOf(5)]));
    const done = run(jobOf(8), records, 100);
    expect([...records.records]).toEqual([idOf(5)]);
    expect(done?.failures).toEqual([idOf(5)]);
    expect(done?.job.totals).toMatchObject({ succeeded: 15, failed: 1 });
    // 0-4 go before the server comes to 5, of 5-7 one is alone; then 6, 7 and 8, 9 to 12, 13 to 15.
    expect(done?.sizes).toEqual([8, 1, 1, 2, 4, 3]);
    expect(done?.job.lanes[0].batchLimit).toBeNull();
  });

  it('loses nothing, counts nothing twice and comes to an end, whichever records are refused', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }).chain((count) =>
          fc.record({
            count: fc.constant(count),
            refused: fc.uniqueArray(fc.integer({ min: 0, max: Math.max(0, count - 1) }), { maxLength: count }),
            batchSize: fc.integer({ min: 1, max: 70 }),
            looksFirst: fc.boolean(),
          }),
        ),
        ({ count, refused, batchSize, looksFirst }) => {
          const refuses = new Set(refused.map(idOf));
          const records = server(count, refuses, looksFirst);
          const done = run(jobOf(batchSize), records, 20 * count + 20);
          const expected = [...refuses].sort();
          expect([...records.records].sort()).toEqual(expected);
          expect(done?.failures).toEqual(expected);
          expect(done?.job.totals).toMatchObject({ succeeded: count - expected.length, failed: expected.length });
        },
      ),
    );
  });

  it('costs at most 35 deletes with one such record in 500, wherever it is', () => {
    const costs = [0, 1, 2, 123, 249, 250, 251, 374, 497, 498, 499]
      .map((place) =>
        [true, false].map((looksFirst) => run(jobOf(500), server(500, new Set([idOf(place)]), looksFirst), 1000)),
      )
      .flat();
    expect(Math.max(...costs.map((done) => done?.sizes.length ?? Infinity))).toBeLessThanOrEqual(35);
  });

  it('keeps the cursor before what stands, and tells what has gone', () => {
    const planned = planBatch(
      withLane(jobOf(4), { cursor: '0' }),
      page(...['a', 'b', 'c'].map((id) => record(id))),
      planFacts,
    );
    const consequence = { gone: 1, objectKeys: [], kept: [] };
    const facts = { newlyRetained: [], instance: 'd1', now: at(2), recordsNow: at(2), wasRefused: true };
    const split = resolvePlan(planned, consequence, facts);
    expect(split.lanes[0]).toMatchObject({ cursor: '0', plan: null, batchLimit: 1, pass: { found: 1, deleted: 1 } });
    expect(split.outbox).toMatchObject([{ type: 'BatchDeleted', data: { count: 1, failures: [] } }]);
    const whole = resolvePlan(planned, { ...consequence, gone: 3 }, facts);
    expect(whole.lanes[0]).toMatchObject({ cursor: 'c', batchLimit: null, pass: { found: 3, deleted: 3 } });
  });

  it('with one record left of it makes that a failure of the plan, in words that are not too long', () => {
    const planned = planBatch(jobOf(4), page(record('a', 'tenants/acme/1')), planFacts);
    const gone = { gone: 1, objectKeys: [], kept: [] };
    expect(refusedAlone(planned, gone)).toBeNull();
    const alone = refusedAlone(planned, { ...gone, gone: 0 });
    const noted = refuseRecord(planned, alone!, { code: 'X', message: 'y'.repeat(1000) });
    expect(noted.lanes[0].plan).toMatchObject({ records: [], failures: [{ id: 'a', code: 'DELETE_REFUSED' }] });
    expect(noted.lanes[0].plan?.failures[0]?.message).toBe(`X: ${'y'.repeat(497)}`);
    const two = planBatch(jobOf(4), page(record('a'), record('b')), planFacts);
    expect(refusedAlone(two, { ...gone, gone: 1 })).toBeNull();
  });

  it('has batches grow only while something goes, and never beyond what was requested', () => {
    const limited = (batchLimit: number) => withLane(jobOf(10), { batchLimit });
    const after = (limit: number, gone: number) =>
      batchLimitAfter(limited(limit), { gone, planned: 2, deleteMs: null });
    expect(after(2, 0)).toBe(2);
    expect(after(2, 1)).toBe(4);
    expect(after(5, 1)).toBeNull();
    expect(batchSizeOf(limited(2))).toBe(2);
    expect(batchSizeOf({ ...limited(8), maxRecordsPerSecond: 4 })).toBe(2);
    expect(batchSizeOf({ ...limited(8), maxRecordsPerSecond: 4 }, 2)).toBe(1);
    expect(batchSizeOf({ ...limited(8), maxRecordsPerSecond: 4 }, 100)).toBe(2);
    expect(batchSizeOf(limited(8), 6)).toBe(3);
    expect(batchSizeOf(limited(99))).toBe(10);
  });
});
