import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DeletionJob } from './deletion-job.js';
import { at, page, planFacts, record, runningJob } from './given.js';
import { planBatch } from './plan-batch.js';
import { type Aftermath, consequenceOf, resolvePlan } from './resolve-plan.js';

const key = (n: number | string): string => `tenants/acme/${n}`;
const aftermath = (given: Partial<Aftermath> = {}): Aftermath => ({
  standing: new Map(),
  referred: new Set(),
  heldOutside: new Set(),
  ...given,
});
const planned = (...records: Parameters<typeof page>): DeletionJob =>
  planBatch(runningJob(), page(...records), planFacts);
const resolve = (job: DeletionJob, found: Aftermath, newlyRetained: string[] = []): DeletionJob =>
  resolvePlan(job, consequenceOf(job.lanes[0].plan!, found), {
    newlyRetained,
    instance: 'deleter-1',
    recordsNow: at(20),
    now: at(12),
  });

describe('resolving a plan', () => {
  it('moves the cursor, counts, resets the attempt and tells it, in one write', () => {
    const job = resolve(planned(record('a', key(1), key(2)), record('b', key(2))), aftermath());
    expect(job.lanes[0]).toMatchObject({ cursor: 'b', plan: null, attempt: 0, strikes: 0, waiting: null });
    expect(job.totals).toEqual({ batches: 1, succeeded: 2, failed: 0, objects: 2, retained: 0 });
    expect(job.outbox).toHaveLength(1);
    expect(job.outbox[0]).toMatchObject({
      id: 'job-1:2',
      type: 'BatchDeleted',
      subject: 'job-1',
      tenantid: 'acme',
      sequence: 2,
      data: {
        batch: 1,
        count: 2,
        objectKeys: [key(1), key(2)],
        retained: [],
        failures: [],
        turn: 1,
        totals: job.totals,
      },
    });
  });

  it('counts a record that still stands as neither, and keeps the keys it refers to', () => {
    const standing = new Map([['a', [key(1), key('new')]]]);
    const job = resolve(planned(record('a', key(1)), record('b', key(2))), aftermath({ standing }));
    expect(job.totals).toMatchObject({ succeeded: 1, failed: 0, objects: 1 });
    expect(job.outbox[0]).toMatchObject({ data: { count: 1, objectKeys: [key(2)], retained: [] } });
  });

  it('purges the old key of a record that was put back with another', () => {
    const job = resolve(planned(record('a', key('old'))), aftermath({ standing: new Map([['a', [key('new')]]]) }));
    expect(job.outbox[0]).toMatchObject({ data: { count: 0, objectKeys: [key('old')] } });
  });

  it('keeps every planned key of a record whose keys can no longer be read', () => {
    const job = resolve(planned(record('a', key(1))), aftermath({ standing: new Map([['a', null]]) }));
    expect(job.outbox).toEqual([]);
  });

  it('keeps and reports a key that a record outside the job refers to', () => {
    const found = aftermath({ referred: new Set([key(1)]), heldOutside: new Set([key(1)]) });
    const plan = planned(record('a', key(1), key(2)));
    expect(consequenceOf(plan.lanes[0].plan!, found)).toEqual({ gone: 1, objectKeys: [key(2)], kept: [key(1)] });
    const job = resolve(plan, found, [key(1)]);
    expect(job.totals).toMatchObject({ objects: 1, retained: 1 });
    expect(job.outbox[0]).toMatchObject({ data: { objectKeys: [key(2)], retained: [key(1)] } });
  });

  it('keeps without reporting a key whose other record this job will delete, too', () => {
    const plan = planned(record('a', key(1)));
    const found = aftermath({ referred: new Set([key(1)]) });
    expect(consequenceOf(plan.lanes[0].plan!, found)).toEqual({ gone: 1, objectKeys: [], kept: [] });
  });

  it('emits nothing for a plan of which nothing came', () => {
    const job = resolve(planned(record('a', key(1))), aftermath({ standing: new Map([['a', [key(1)]]]) }));
    expect(job).toMatchObject({ sequence: 1, outbox: [], totals: { batches: 0, succeeded: 0 } });
    expect(job.lanes[0]).toMatchObject({ cursor: 'a', plan: null, pass: { found: 1, deleted: 0 } });
  });

  it('tells failures though nothing was deleted', () => {
    const job = resolve(planned(record('a', 'elsewhere/1')), aftermath());
    expect(job.totals).toMatchObject({ batches: 1, succeeded: 0, failed: 1 });
    expect(job.outbox[0]).toMatchObject({ data: { count: 0, failures: [{ id: 'a', code: 'KEY_OUTSIDE_PREFIX' }] } });
  });

  it('knows a record by its id whatever the id type', () => {
    const plan = { ...planned(record('a')).lanes[0].plan!, records: [{ id: 7, keys: [key(7)] }] };
    expect(consequenceOf(plan, aftermath({ standing: new Map([['7', [key(7)]]]) })).gone).toBe(0);
  });

  it('orphans nothing: each planned key is purged, or something that stands refers to it', () => {
    const keys = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 4 });
    const standing = fc.constantFrom('gone', 'same', 'edited', 'unreadable');
    fc.assert(
      fc.property(
        fc.array(fc.record({ keys, standing, now: keys }), { minLength: 1, maxLength: 6 }),
        keys,
        (records, referred) => {
          const plan = planned(...records.map((r, i) => record(`r${i}`, ...r.keys.map(key)))).lanes[0].plan!;
          const stands = new Map<string, string[] | null>();
          records.forEach((r, i) => {
            if (r.standing === 'same') stands.set(`r${i}`, r.keys.map(key));
            if (r.standing === 'edited') stands.set(`r${i}`, r.now.map(key));
            if (r.standing === 'unreadable') stands.set(`r${i}`, null);
          });
          const held = new Set(referred.map(key));
          const { gone, objectKeys } = consequenceOf(plan, aftermath({ standing: stands, referred: held }));
          expect(gone).toBe(records.filter((r) => r.standing === 'gone').length);
          records.forEach((r, i) => {
            const now = stands.get(`r${i}`);
            for (const k of now ?? (now === null ? r.keys.map(key) : [])) held.add(k);
          });
          const all = new Set(records.flatMap((r) => r.keys.map(key)));
          expect(new Set(objectKeys)).toEqual(new Set([...all].filter((k) => !held.has(k))));
          expect(objectKeys).toHaveLength(new Set(objectKeys).size);
        },
      ),
    );
  });
});
