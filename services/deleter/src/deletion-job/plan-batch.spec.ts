import { describe, expect, it } from '@jest/globals';
import { MAX_STALLED_PASSES, withLane } from './deletion-job.js';
import { page, planFacts, record, runningJob } from './given.js';
import { isFull, planBatch, takeOver } from './plan-batch.js';

describe('planning a batch', () => {
  it('notes down each record with the keys it owns, before anything is deleted', () => {
    const job = planBatch(runningJob(), page(record('a', 'tenants/acme/1'), record('b')), planFacts);
    expect(job.lanes[0].plan).toEqual({
      owner: 'deleter-1:1',
      until: planFacts.until,
      records: [
        { id: 'a', keys: ['tenants/acme/1'] },
        { id: 'b', keys: [] },
      ],
      failures: [],
      closesAt: 'b',
      startedAt: planFacts.now,
    });
  });

  it('leaves a record with a key outside the prefix and one whose keys cannot be read, and says which and why', () => {
    const unreadable = { id: 'c', keys: { readable: false, path: 'attachments[].key' } as const };
    const job = planBatch(
      runningJob(),
      page(record('a', 'tenants/acme/1', 'tenants/other/2'), record('b', 'tenants/acme/3'), unreadable),
      planFacts,
    );
    const plan = job.lanes[0].plan!;
    expect(plan.records.map((r) => r.id)).toEqual(['b']);
    expect(plan.failures).toEqual([
      { id: 'a', code: 'KEY_OUTSIDE_PREFIX', message: 'refers to an object outside tenants/acme/' },
      { id: 'c', code: 'KEY_UNREADABLE', message: 'attachments[].key holds something that is no object key' },
    ]);
    expect(plan.closesAt).toBe('c');
  });

  it('leaves a record whose keys alone would fill more than a plan', () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `tenants/acme/${'ä'.repeat(500)}${i}`);
    const job = planBatch(runningJob(), page(record('a', ...keys), record('b', ...keys.slice(0, 500))), planFacts);
    expect(job.lanes[0].plan?.records.map((r) => r.id)).toEqual(['b']);
    expect(job.lanes[0].plan?.failures).toMatchObject([{ id: 'a', code: 'TOO_MANY_KEYS' }]);
  });

  it('takes any key where the resource has no prefix', () => {
    const job = planBatch(runningJob(), page(record('a', 'anywhere/1')), { ...planFacts, keyPrefix: null });
    expect(job.lanes[0].plan?.records).toHaveLength(1);
  });

  it('gives up on records that changed in three passes in a row', () => {
    const pass = { found: 0, deleted: 0, stalled: MAX_STALLED_PASSES };
    const job = planBatch(withLane(runningJob(), { pass }), page(record('a')), planFacts);
    expect(job.lanes[0].plan?.records).toEqual([]);
    expect(job.lanes[0].plan?.failures.map((f) => f.code)).toEqual(['STILL_CHANGING']);
  });

  it('hands a plan over whole: the same records, keys and bucket, another owner and deadline', () => {
    const bucket = 'acme-receipts';
    const before = planBatch(runningJob(), page(record('a', 'tenants/acme/1')), { ...planFacts, bucket });
    expect(before.lanes[0].plan).toMatchObject({ bucket });
    const facts = { owner: 'deleter-2:1', until: new Date(planFacts.until.getTime() + 5000) };
    expect(takeOver(before, facts).lanes[0].plan).toEqual({ ...before.lanes[0].plan, ...facts });
    expect(() => takeOver(runningJob(), facts)).toThrow('no plan');
  });

  it('knows an empty page and one of nothing but known failures as not to be planned', () => {
    expect(isFull({ records: [], closesAt: null, window: null })).toBe(false);
    expect(isFull({ records: [], closesAt: 'a', window: null })).toBe(false);
    expect(isFull(page(record('a')))).toBe(true);
  });
});
