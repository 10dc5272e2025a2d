import { describe, expect, it } from '@jest/globals';
import { type DeletionJob, type DeletionState, MAX_STRIKES, planDeadline, timing, withLane } from './deletion-job.js';
import { at, page, planFacts, record, runningJob } from './given.js';
import { planBatch } from './plan-batch.js';
import { resolvePlan } from './resolve-plan.js';
import { msUntilTakeOver, type SliceFacts, sliceVerdict } from './slice-verdict.js';
import { endSlice, release, startSlice } from './turn.js';

const verdict = (job: DeletionJob, facts: Partial<SliceFacts> = {}) =>
  sliceVerdict(job, {
    turn: 1,
    now: at(2),
    process: 'd1',
    atWork: false,
    seen: null,
    noProgressForMs: 60_000,
    ...facts,
  });
const watch = { do: 'watch', ms: timing.silence };

describe('what a slice message may do', () => {
  it.each<[DeletionState, 'start' | 'nothing']>([
    ['running', 'start'],
    ['pausing', 'nothing'],
    ['cancelling', 'nothing'],
    ['paused', 'nothing'],
    ['cancelled', 'nothing'],
    ['finished', 'nothing'],
    ['failed', 'nothing'],
  ])('of the current turn in a job that is %s: %s', (state, expected) => {
    expect(verdict(runningJob({ state }))).toEqual({ do: expected });
  });

  it('is the answer where a request is pending, once that need not wait', () => {
    const fields = { id: 'r', type: 'PauseRequested', time: '', by: 'ann', reason: null } as const;
    const pending = { ...fields, maxRecordsPerSecond: null, waiting: null };
    expect(verdict(runningJob({ state: 'pausing', pending }))).toEqual({ do: 'answer' });
    const waiting = { since: at(1), retryAt: at(9), attempt: 1, strikes: 0 };
    const delayed = runningJob({ state: 'pausing', pending: { ...pending, waiting } });
    expect(verdict(delayed)).toEqual({ do: 'wait', ms: 7000 });
    expect(verdict(delayed, { turn: 7 })).toEqual({ do: 'nothing' });
  });

  it('is nothing for another turn than the current', () => {
    const job = withLane(runningJob(), { turn: 3 });
    expect(verdict(job, { turn: 2 })).toEqual({ do: 'nothing' });
    expect(verdict(job, { turn: 4 })).toEqual({ do: 'nothing' });
  });

  it('stays live when redelivered after its worker started it and died', () => {
    const job = startSlice(runningJob(), 'd2');
    expect(verdict(job)).toEqual(watch);
    expect(verdict(job, { seen: job.writtenAt.toISOString() })).toEqual({ do: 'start' });
  });

  it('waits for as long as a worker that started it goes on writing', () => {
    const job = startSlice(runningJob(), 'd2');
    const seen = job.writtenAt.toISOString();
    expect(verdict({ ...job, writtenAt: at(4) }, { seen })).toEqual(watch);
    expect(verdict(startSlice(runningJob(), 'd1'), { atWork: true, seen })).toEqual(watch);
  });

  it('starts at once where nobody is at it: the process that judges, or a slice that said how it ended', () => {
    expect(verdict(startSlice(runningJob(), 'd1'))).toEqual({ do: 'start' });
    expect(verdict(release(startSlice(runningJob(), 'd2')))).toEqual({ do: 'start' });
    const planned = planBatch(startSlice(runningJob(), 'd2'), page(record('a')), planFacts);
    expect(verdict(planned)).toEqual({ do: 'start' });
  });

  it('is nothing once its slice has ended', () => {
    const ended = endSlice(startSlice(runningJob(), 'd2'));
    expect(verdict(ended)).toEqual({ do: 'nothing' });
    expect(verdict(ended, { turn: 2 })).toEqual({ do: 'start' });
  });

  it('waits until the job may be retried', () => {
    const waiting = { cause: 'store', since: at(1), retryAt: at(9), error: { code: 'X', message: '' } } as const;
    expect(verdict(withLane(runningJob(), { waiting }))).toEqual({ do: 'wait', ms: 7000 });
    expect(verdict(withLane(runningJob(), { waiting }), { now: at(9) })).toEqual({ do: 'start' });
  });

  it('gives up when every attempt killed its worker, and counts anew once a slice has ended', () => {
    let job = runningJob();
    const seen = job.writtenAt.toISOString();
    for (let n = 0; n < MAX_STRIKES; n++) {
      expect(verdict(job, { process: `life ${n}`, seen })).toEqual({ do: 'start' });
      job = startSlice(job, `life ${n}`);
    }
    expect(verdict(job, { process: 'the next life', seen })).toEqual({ do: 'give-up' });
    expect(endSlice(job).lanes[0]).toMatchObject({ attempt: 0, strikes: 0, holder: null, turn: 2 });
  });

  it('counts no strike against a process that lives and starts again', () => {
    let job = runningJob();
    for (let n = 0; n < 20; n++) {
      expect(verdict(job)).toEqual({ do: 'start' });
      job = startSlice(job, 'd1');
    }
    expect(job.lanes[0]).toMatchObject({ attempt: 20, strikes: 0 });
  });

  it('counts a death after a batch was resolved in the same slice', () => {
    const planned = planBatch(startSlice(runningJob(), 'd2'), page(record('a')), planFacts);
    const nothing = { gone: 1, objectKeys: [], kept: [] };
    const resolved = resolvePlan(planned, nothing, {
      newlyRetained: [],
      instance: 'd2',
      now: at(3),
      recordsNow: at(3),
    });
    expect(startSlice(resolved, 'd1').lanes[0]).toMatchObject({ attempt: 1, strikes: 1 });
  });

  it('leaves a standing plan alone until its deadline has passed on the records clock', () => {
    const job = planBatch(runningJob(), page(record('a')), planFacts);
    const deadline = planDeadline(job.lanes[0].plan!);
    expect(deadline.getTime()).toBe(planFacts.until.getTime() + 3000);
    expect(msUntilTakeOver(job, planFacts.until)).toBe(3001);
    expect(msUntilTakeOver(job, deadline)).toBe(1);
    expect(msUntilTakeOver(job, new Date(deadline.getTime() + 1))).toBe(0);
    expect(msUntilTakeOver(runningJob(), at(0))).toBe(0);
  });
});
