import { describe, expect, it } from '@jest/globals';
import { answerPending } from './control.js';
import type { DeletionJob } from './deletion-job.js';
import { at, runningJob } from './given.js';
import { tooManyFailures } from './too-many-failures.js';

const limits = { maxShare: 0.5, minSample: 50 };
const after = (succeeded: number, failed: number): DeletionJob => {
  const job = runningJob();
  return { ...job, totals: { ...job.totals, succeeded, failed } };
};
const retried = (job: DeletionJob, type: 'RetryRequested' | 'ResumeRequested'): DeletionJob => {
  const fields = { id: 'r', type, time: at(1).toISOString(), by: 'ann', reason: null } as const;
  const during = type === 'RetryRequested' ? 'failed' : 'paused';
  const pending = { ...fields, maxRecordsPerSecond: null, waiting: null };
  return answerPending({ ...job, state: during, pending }, at(2));
};

describe('too many failures', () => {
  it.each([
    [24, 25, false],
    [24, 26, true],
    [25, 25, false],
    [0, 49, false],
    [0, 50, true],
    [500, 501, true],
    [501, 500, false],
  ])('are more than half of at least 50 records: %i gone, %i failed: %s', (succeeded, failed, expected) => {
    expect(tooManyFailures(after(succeeded, failed), limits) !== null).toBe(expected);
  });

  it('say how many of how many', () => {
    expect(tooManyFailures(after(20, 40), limits)).toEqual({
      code: 'TOO_MANY_FAILURES',
      message: '40 of 60 records could not be deleted',
    });
  });

  it('are counted from the last retry, so that it gets somewhere, and not from a resume', () => {
    const again = retried(after(20, 40), 'RetryRequested');
    expect(tooManyFailures(again, limits)).toBeNull();
    const later = (job: DeletionJob, failed: number) => ({ ...job, totals: { ...job.totals, failed } });
    expect(tooManyFailures(later(again, 89), limits)).toBeNull();
    expect(tooManyFailures(later(again, 90), limits)?.message).toBe(
      '50 of 50 records could not be deleted since the last retry',
    );
    expect(tooManyFailures(retried(after(20, 40), 'ResumeRequested'), limits)).not.toBeNull();
  });

  it('are never too many where all may fail', () => {
    expect(tooManyFailures(after(0, 1000), { ...limits, maxShare: 1 })).toBeNull();
  });
});
