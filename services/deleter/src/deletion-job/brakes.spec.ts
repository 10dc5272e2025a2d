import { describe, expect, it } from '@jest/globals';
import { batchLimitAfter } from './batch-limit.js';
import { awaitConfirmation, brakeAtStart, countedUpTo, finishDryRun, withinExpected } from './brakes.js';
import { answerPending, controlVerdict } from './control.js';
import { type DeletionJob, dueAt, hasTurns, withLane } from './deletion-job.js';
import { at, page, record, request, runningJob } from './given.js';
import { transitions } from './transitions.js';

const basedOn = 'a8f5f167-0e5a-4d3b-9c1e-2b7d6a1f0c33';
const whole = (records: number) => ({ records, isAll: true });
const atLeast = (records: number) => ({ records, isAll: false });

const jobExpecting = (expectedMaxRecords: number, succeeded: number): DeletionJob => {
  const job = runningJob({ request: { ...request.data, options: { batchSize: 10, expectedMaxRecords } } });
  return { ...job, totals: { ...job.totals, succeeded } };
};

describe('before a job deletes anything', () => {
  it.each([
    ['few', {}, whole(100), { brake: 'none' }],
    ['more than go unasked', {}, whole(101), { brake: 'confirm', limit: 100 }],
    ['at least as many', {}, atLeast(101), { brake: 'confirm', limit: 100 }],
    ['nobody could count how many', {}, null, { brake: 'confirm', limit: 100 }],
    ['many, of a dry run that was looked at', { basedOn }, whole(5000), { brake: 'none' }],
    ['nobody could count, of a dry run', { basedOn }, null, { brake: 'none' }],
    ['many, and as many as were expected', { expectedMaxRecords: 5000 }, whole(5000), { brake: 'none' }],
    ['uncounted, and a number was expected', { expectedMaxRecords: 5000 }, null, { brake: 'none' }],
  ])('%s: %j %j', (_, options, counted, brake) => {
    expect(brakeAtStart({ batchSize: 10, ...options }, counted, 100)).toEqual(brake);
  });

  it.each([
    [whole(8), '8 records match, more than expected_max_records, 7; none was deleted'],
    [atLeast(8), 'at least 8 records match, more than expected_max_records, 7; none was deleted'],
  ])('fails where more match than were expected: %j', (counted, message) => {
    const error = { code: 'MORE_THAN_PLANNED', message };
    expect(brakeAtStart({ batchSize: 10, expectedMaxRecords: 7 }, counted, 100)).toEqual({ brake: 'fail', error });
  });

  it('counts no further than it has to', () => {
    expect(countedUpTo({ batchSize: 10 }, 100)).toBe(101);
    expect(countedUpTo({ batchSize: 10, expectedMaxRecords: 7 }, 100)).toBe(8);
    expect(countedUpTo({ batchSize: 10, basedOn }, 100)).toBeNull();
    expect(countedUpTo({ batchSize: 10, dryRun: true }, 100)).toBeNull();
  });
});

describe('a job that waits to be confirmed', () => {
  const waiting = awaitConfirmation(runningJob(), whole(101), 100, at(2));

  it('has no turn and is at rest, and says what it waits for', () => {
    expect(waiting.outbox).toMatchObject([
      { type: 'ConfirmationAwaited', sequence: 2, data: { total: 101, totalIsEstimate: false, limit: 100 } },
    ]);
    expect(hasTurns(waiting)).toBe(false);
    expect(dueAt({ ...waiting, outbox: [] })).toBeNull();
  });

  it('runs once it is confirmed, and not by any other request', () => {
    const edges = transitions['awaiting-confirmation'];
    expect(Object.entries(edges).flatMap(([type, edge]) => (edge.to === 'running' ? [type] : []))).toEqual([
      'ConfirmRequested',
    ]);
    const pending = {
      id: 'confirm-1',
      type: 'ConfirmRequested' as const,
      time: at(3).toISOString(),
      by: 'ops',
      reason: 'counted by hand',
      maxRecordsPerSecond: null,
      waiting: null,
    };
    const confirmed = answerPending({ ...waiting, pending }, at(4));
    expect(confirmed.state).toBe('running');
    expect(confirmed.outbox.at(-1)).toMatchObject({
      type: 'DeletionResumed',
      data: { requestType: 'ConfirmRequested', by: 'ops', reason: 'counted by hand' },
    });
  });
});

describe('a dry run', () => {
  const sample = [{ id: 'a', objectKeys: ['tenants/acme/1'] }];
  const finished = finishDryRun(runningJob(), { counted: atLeast(7), sample }, at(2));

  it('is over at once, with what would go', () => {
    expect(finished.outbox).toMatchObject([
      { type: 'DryRunFinished', data: { total: 7, totalIsEstimate: true, bound: { idAtMost: 'z' }, sample } },
    ]);
    expect(hasTurns(finished)).toBe(false);
  });

  it('no request leads from to a deletion', () => {
    expect(transitions['dry-run-finished']).toEqual({});
    const retry = { id: 'r', type: 'RetryRequested', time: at(9).toISOString() } as Parameters<
      typeof controlVerdict
    >[1];
    expect(controlVerdict(finished, retry)).toMatchObject({ do: 'refuse', reason: 'not-allowed' });
  });
});

describe('of a page', () => {
  const three = page(record('a'), record('b'), record('c'));

  it.each([
    ['all, where no number was expected', runningJob(), ['a', 'b', 'c']],
    ['all, where so many may go', jobExpecting(5, 2), ['a', 'b', 'c']],
    ['as many as may go, and the cursor comes no further', jobExpecting(5, 3), ['a', 'b']],
  ])('goes %s', (_, job, ids) => {
    const fitting = withinExpected(job, three);
    expect(fitting?.records.map(({ id }) => id)).toEqual(ids);
    expect(fitting?.closesAt).toBe(ids.at(-1));
  });

  it.each([5, 6])('goes none once as many have gone as were expected, or more: %i', (succeeded) => {
    expect(withinExpected(jobExpecting(5, succeeded), three)).toBeNull();
  });
});

describe('the next batch', () => {
  const limited = (batchLimit: number | null) =>
    withLane(runningJob({ request: { ...request.data, options: { batchSize: 400 } } }), { batchLimit });

  it.each([
    ['is half of one that took long', null, 400, 501, 200],
    ['is as large after one that took half as long', 200, 200, 300, 200],
    ['is twice as large after a quick one', 100, 100, 100, 200],
    ['is as requested after quick ones', 200, 200, 100, null],
    ['is not made smaller than ten for a slow server', 16, 12, 900, 10],
    ['is no larger than a small one that took long', 16, 3, 900, 3],
  ])('%s', (_, limit, planned, deleteMs, next) => {
    expect(batchLimitAfter(limited(limit), { gone: planned, planned, deleteMs })).toBe(next);
  });
});
