import { describe, expect, it } from '@jest/globals';
import { JobView } from '@expunge/contracts';
import { compact } from '../ledger/compact.js';
import { evolve } from '../projection/evolve.js';
import type { JobProjection } from '../projection/job.js';
import { Story } from '../testing/story.js';
import { jobView } from './job-view.js';

function view(story: Story, afterSeconds = 0): JobView {
  const job = story.events.reduce<JobProjection | null>(
    (known, message, i) => evolve(known, { position: i + 1, message: compact(message) }),
    null,
  );
  if (!job) throw new Error('no event');
  return jobView(job, story.after(afterSeconds));
}

describe('jobView', () => {
  it('fits the contract, whichever event was the first', () => {
    const story = new Story()
      .requested({ ids: ['a', 'b'] })
      .started(10)
      .batch(5, 2)
      .purgeFailed(1, [[0, 0]])
      .finished();
    for (const event of story.events) {
      const only = new Story();
      only.events.push(event);
      expect(JobView.parse(view(only))).toEqual(view(only));
    }
    expect(JobView.parse(view(story))).toEqual(view(story));
  });

  it('shows how many a person is asked to confirm, in whichever order that is heard', () => {
    const story = new Story().requested().started(null).confirmationAwaited(101, 100, true);
    const confirmation = { total: 101, totalIsEstimate: true, limit: 100 };
    expect(view(story)).toMatchObject({ status: 'awaiting_confirmation', confirmation });
    const confirmed = story.confirmed('confirm-1').batch(2, 0);
    const forth = view(confirmed);
    expect(forth).toMatchObject({ status: 'running', confirmation, progress: { succeeded: 2 } });
    confirmed.events.reverse();
    expect({ ...view(confirmed), position: 0 }).toEqual({ ...forth, position: 0 });
  });

  it('shows what a dry run has found, and that it is over', () => {
    const sample = [{ id: 'a', objectKeys: ['tenants/t/1'], failure: { code: 'KEY_OUTSIDE_PREFIX', message: 'no' } }];
    const story = new Story().requested().started(null).dryRunFinished(70, sample);
    const seen = view(story);
    expect(seen).toMatchObject({
      status: 'completed',
      dryRun: { total: 70, totalIsEstimate: true, sample },
      progress: { processed: 0, total: 70, totalIsEstimate: true, percent: null },
    });
    expect([seen.finishedAt, seen.completedAt]).toEqual([story.after(0).toISOString(), story.after(0).toISOString()]);
    expect(JobView.parse(seen)).toEqual(seen);
  });

  it('tells progress, rate and when it will be done', () => {
    const seen = view(
      new Story()
        .requested()
        .started(100)
        .batch(10, 3)
        .batch(10, 0)
        .batch(20, 0)
        .purged(1, [[0, 0]]),
    );
    expect(seen.progress).toEqual({
      processed: 40,
      succeeded: 40,
      failed: 0,
      total: 100,
      totalIsEstimate: false,
      percent: 40,
      objects: { handedOver: 3, purged: 1, failed: 0, retained: 0, pending: 2 },
    });
    // 40 records in the 3 s from the start to the last batch.
    expect(seen.recordsPerSecond).toBeCloseTo(40 / 3);
    expect(seen.eta).toBe('2026-11-01T10:00:10.500Z');
  });

  it('tells no rate of a job from which nothing was heard for half a minute', () => {
    const story = new Story().requested().started(100).batch(10, 0).batch(10, 0);
    expect(view(story, 30).recordsPerSecond).not.toBeNull();
    expect(view(story, 31)).toMatchObject({ recordsPerSecond: null, eta: null });
  });

  it('tells no rate while something blocks the job, and the same again when nothing does', () => {
    const story = new Story().requested().started(100).batch(10, 0).batch(10, 0);
    const { recordsPerSecond } = view(story);
    expect(recordsPerSecond).toBe(10);
    expect(view(story.diagnosed(1, 'CONSUMER:NONE', 'blocking'))).toMatchObject({ recordsPerSecond: null, eta: null });
    expect(view(story.diagnosed(2, null, null))).toMatchObject({ recordsPerSecond });
    expect(view(story.diagnosed(3, 'CONSUMER:NONE', 'warning'))).toMatchObject({ recordsPerSecond });
  });

  it('tells the rate since a job was resumed last: its pause is no part of it', () => {
    const story = new Story().requested().started(100).batch(10, 0).batch(10, 0).paused('pause-1').silent(15);
    expect(view(story.resumed('resume-1'))).toMatchObject({ recordsPerSecond: null, eta: null });
    expect(view(story.batch(20, 0)).recordsPerSecond).toBe(20);
    expect(view(story.batch(20, 0)).recordsPerSecond).toBe(20);
  });

  it('tells why a job waits, until it goes on', () => {
    const story = new Story().started().delayed(8);
    expect(view(story).delayed).toMatchObject({ cause: 'store', retryAt: '2026-11-01T10:00:10.000Z' });
    expect(view(story.batch(1, 0)).delayed).toBeNull();
  });

  it('tells the rate as it was changed last, whatever comes in which order', () => {
    const changed = new Story().started().rateChanged('a', 50).rateChanged('b', null);
    expect(view(new Story().started()).maxRecordsPerSecond).toBeNull();
    expect(view(changed).maxRecordsPerSecond).toBeNull();
    expect(view(new Story().started().rateChanged('a', 50)).maxRecordsPerSecond).toBe(50);
    const late = new Story();
    late.events.push(...changed.events.toReversed());
    expect(view(late)).toMatchObject({ maxRecordsPerSecond: null, lastRequest: { id: 'b', outcome: 'applied' } });
  });

  it('says of a job that was refused why', () => {
    const seen = view(new Story().requested().refused('q', 'DeleteRequested', 'expired'));
    expect(seen).toMatchObject({ status: 'failed', lastError: { code: 'REQUEST_REFUSED:expired' } });
  });
});
