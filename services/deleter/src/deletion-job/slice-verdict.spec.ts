import { describe, expect, it } from '@jest/globals';
import { type DeletionState, MAX_STRIKES, planDeadline, withLane } from './deletion-job.js';
import { at, page, planFacts, record, runningJob } from './given.js';
import { planBatch } from './plan-batch.js';
import { msUntilTakeOver, sliceVerdict } from './slice-verdict.js';
import { endSlice, startSlice } from './turn.js';

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
    expect(sliceVerdict(runningJob({ state }), 1, at(2))).toEqual({ do: expected });
  });

  it('is nothing for another turn than the current', () => {
    const job = withLane(runningJob(), { turn: 3 });
    expect(sliceVerdict(job, 2, at(2))).toEqual({ do: 'nothing' });
    expect(sliceVerdict(job, 4, at(2))).toEqual({ do: 'nothing' });
  });

  it('stays live when redelivered after its worker started it and died', () => {
    expect(sliceVerdict(startSlice(runningJob()), 1, at(2))).toEqual({ do: 'start' });
  });

  it('is nothing once its slice has ended', () => {
    expect(sliceVerdict(endSlice(startSlice(runningJob())), 1, at(2))).toEqual({ do: 'nothing' });
    expect(sliceVerdict(endSlice(startSlice(runningJob())), 2, at(2))).toEqual({ do: 'start' });
  });

  it('waits until the job may be retried', () => {
    const waiting = { cause: 'store', since: at(1), retryAt: at(9), error: { code: 'X', message: '' } } as const;
    expect(sliceVerdict(withLane(runningJob(), { waiting }), 1, at(2))).toEqual({ do: 'wait', ms: 7000 });
    expect(sliceVerdict(withLane(runningJob(), { waiting }), 1, at(9))).toEqual({ do: 'start' });
  });

  it('gives up when every attempt killed its worker, and counts anew once a slice has ended', () => {
    let job = runningJob();
    for (let n = 0; n < MAX_STRIKES; n++) {
      expect(sliceVerdict(job, 1, at(2))).toEqual({ do: 'start' });
      job = startSlice(job);
    }
    expect(sliceVerdict(job, 1, at(2))).toEqual({ do: 'give-up' });
    expect(endSlice(job).lanes[0]).toMatchObject({ attempt: 0, strikes: 0, turn: 2 });
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
