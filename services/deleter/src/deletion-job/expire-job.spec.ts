import { describe, expect, it } from '@jest/globals';
import type { DeletionJob, DeletionState, Pending } from './deletion-job.js';
import { finish } from './end-pass.js';
import { expiryVerdict } from './expire-job.js';
import { at, planFacts, record, page, runningJob } from './given.js';
import { planBatch } from './plan-batch.js';

const ended = (change: Partial<DeletionJob> = {}) => runningJob({ state: 'finished', sequence: 7, ...change });
/** The request is valid for 600 s. */
const later = at(601);

describe('a job that the monitor says has expired', () => {
  it.each(['finished', 'failed', 'cancelled'] as const)(
    'goes when it is %s and the monitor knows all of it',
    (state) => {
      expect(expiryVerdict(ended({ state }), 7, later)).toEqual({ do: 'remove' });
    },
  );

  it('goes when its request never came', () => {
    expect(expiryVerdict(ended({ state: 'cancelled', request: null }), 7, at(0))).toEqual({ do: 'remove' });
  });

  it.each(['running', 'pausing', 'paused', 'cancelling'] as const)('stays while it is %s', (state: DeletionState) => {
    expect(expiryVerdict(ended({ state }), 7, later)).toEqual({ do: 'keep', why: `it is ${state}` });
  });

  it('stays when it has a later event than the monitor knows, which is told', () => {
    expect(expiryVerdict(ended(), 6, later)).toEqual({ do: 'tell-later-events' });
    expect(expiryVerdict(ended({ state: 'running' }), 6, later)).toEqual({ do: 'tell-later-events' });
  });

  it('stays when the monitor knows of later events than it has', () => {
    expect(expiryVerdict(ended(), 8, later)).toMatchObject({ do: 'keep' });
  });

  const pending: Pending = {
    id: 'r',
    type: 'RetryRequested',
    time: later.toISOString(),
    by: 'ann',
    reason: null,
    maxRecordsPerSecond: null,
    waiting: null,
  };
  const { lanes } = planBatch(runningJob(), page(record('a', 'tenants/acme/1')), planFacts);
  const { outbox } = finish(runningJob(), { instance: 'deleter-1', now: at(10) });

  it.each<[string, Partial<DeletionJob>]>([
    ['a request is pending', { pending, state: 'failed' }],
    ['an event has not left its outbox', { outbox }],
    ['the keys of its plan stand nowhere else', { lanes, state: 'failed' }],
  ])('stays while %s', (_, change) => {
    expect(expiryVerdict(ended(change), 7, later)).toMatchObject({ do: 'keep' });
  });

  it('stays as long as its request may arrive again and would begin it anew', () => {
    expect(expiryVerdict(ended(), 7, at(600))).toMatchObject({ do: 'keep' });
  });
});
