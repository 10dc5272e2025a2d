import { describe, expect, it } from '@jest/globals';
import { type DelayCause, dueAt, type DeletionJob, withLane } from './deletion-job.js';
import { delay, fail, waitedTooLong } from './delay-job.js';
import { at, page, planFacts, record, runningJob } from './given.js';
import { planBatch } from './plan-batch.js';
import { endSlice, startSlice } from './turn.js';

const started = (job: DeletionJob, process = 'd1') => startSlice(job, process);

const error = { code: 'RECORDS_UNAVAILABLE', message: 'no server' };
const later = (job: DeletionJob, cause: DelayCause, now = at(10)) =>
  delay(job, { cause, error }, { instance: 'deleter-1', now });

describe('a job that waits', () => {
  it('waits 2, 4, 8, 16, 30, 30 … seconds for a store, and says so each time', () => {
    let job = runningJob();
    const waits = [];
    for (let n = 1; n <= 7; n++) {
      job = later(started({ ...job, outbox: [] }), 'store');
      waits.push((job.lanes[0].waiting!.retryAt.getTime() - at(10).getTime()) / 1000);
      expect(job.outbox).toMatchObject([{ type: 'BatchDelayed', data: { cause: 'store', attempt: n, error } }]);
    }
    expect(waits).toEqual([2, 4, 8, 16, 30, 30, 30]);
  });

  it('counts no strike for a store that is away, one for any other error', () => {
    expect(later(started(runningJob()), 'store').lanes[0].strikes).toBe(0);
    expect(later(started(runningJob()), 'error').lanes[0].strikes).toBe(1);
    const afterDeaths = started(started(started(runningJob(), 'd1'), 'd2'), 'd3');
    expect(later(afterDeaths, 'store').lanes[0].strikes).toBe(2);
  });

  it('counts no attempt while records keep changing, and waits longer with each pass', () => {
    const stalled = (n: number) => withLane(started(runningJob()), { pass: { found: 0, deleted: 0, stalled: n } });
    expect(later(stalled(1), 'still-changing').lanes[0]).toMatchObject({
      attempt: 0,
      strikes: 0,
      waiting: { retryAt: at(12) },
    });
    expect(later(stalled(3), 'still-changing').lanes[0]).toMatchObject({ waiting: { retryAt: at(18) } });
  });

  it('tells a backlog once, however often it looks again', () => {
    const first = later(runningJob(), 'purge-backlog');
    expect(first.outbox).toHaveLength(1);
    const again = later({ ...first, outbox: [] }, 'purge-backlog', at(14));
    expect(again.outbox).toEqual([]);
    expect(again.lanes[0].waiting).toMatchObject({ since: at(10), retryAt: at(18) });
  });

  it('keeps its plan: the outcome of the delete may be unknown', () => {
    const job = planBatch(started(runningJob()), page(record('a')), planFacts);
    expect(later(job, 'store').lanes[0].plan).toEqual(job.lanes[0].plan);
  });

  it('has waited too long once a store was away for longer than the setting, through all its attempts', () => {
    let job = later(started(runningJob()), 'store', at(10));
    job = later(started(job), 'store', at(70));
    expect(waitedTooLong(job, 'store', 60_000, at(70))).toBe(false);
    expect(waitedTooLong(job, 'store', 60_000, at(71))).toBe(true);
    expect(waitedTooLong(job, 'error', 60_000, at(71))).toBe(false);
    expect(waitedTooLong(later(runningJob(), 'purge-backlog'), 'purge-backlog', 1, at(99))).toBe(false);
  });

  it('waits anew once a slice has ended: it was not without progress', () => {
    const job = startSlice(endSlice(later(started(runningJob()), 'store', at(10))), 'd1');
    expect(waitedTooLong(job, 'store', 60_000, at(100))).toBe(false);
    expect(
      later(later(endSlice(later(runningJob(), 'purge-backlog')), 'purge-backlog'), 'purge-backlog').outbox,
    ).toHaveLength(2);
  });

  it('fails with its cursor where it was, and tells why', () => {
    const job = fail(withLane(runningJob(), { cursor: 'm' }), error, { instance: 'deleter-1', now: at(30) });
    expect(job).toMatchObject({ state: 'failed', outbox: [{ type: 'DeletionFailed', data: { error } }] });
    expect(job.lanes[0]).toMatchObject({ cursor: 'm', waiting: null });
  });
});

describe('when the watchdog looks', () => {
  it('is a slice and its deadline after the last write, or after the time to retry', () => {
    expect(dueAt(runningJob({ writtenAt: at(100) }))).toEqual(at(106));
    expect(dueAt({ ...later(runningJob(), 'error', at(100)), writtenAt: at(100) })).toEqual(at(108));
  });

  it('is never for a job at rest, and is for one whose last events are not out', () => {
    expect(dueAt(runningJob({ state: 'finished' }))).toBeNull();
    const unsaid = fail(runningJob({ writtenAt: at(100) }), error, { instance: 'deleter-1', now: at(100) });
    expect(dueAt(unsaid)).toEqual(at(106));
  });
});
