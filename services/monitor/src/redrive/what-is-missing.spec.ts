import { describe, expect, it } from '@jest/globals';
import type { AnyMessage } from '@expunge/contracts';
import { compact } from '../ledger/compact.js';
import { evolve } from '../projection/evolve.js';
import type { JobProjection } from '../projection/job.js';
import { Story } from '../testing/story.js';
import { whatIsMissing } from './what-is-missing.js';

const fold = (events: AnyMessage[]): JobProjection => {
  const job = events.reduce<JobProjection | null>(
    (known, message, i) => evolve(known, { position: i + 1, message: compact(message) }),
    null,
  );
  if (!job) throw new Error('no event');
  return job;
};

const missing = (story: Story, afterSeconds: number, told: number | null = null, events = story.events) =>
  whatIsMissing(fold(events), told, true, story.after(afterSeconds)).map(({ kind, ask }) => [kind, ask]);

/** While something stands in the storage-cleaner's queue, or its tiers. */
const missingWhileBusy = (story: Story, afterSeconds: number) =>
  whatIsMissing(fold(story.events), null, false, story.after(afterSeconds)).map(({ kind, ask }) => [kind, ask]);

const events = (wanted: object) => ({ ask: 'events', wanted });

describe('whatIsMissing', () => {
  it('is nothing of a job under way', () => {
    expect(missing(new Story().requested().started().batch(5, 2), 9)).toEqual([]);
  });

  it('is nothing of a job that is done', () => {
    const story = new Story().requested().started().batch(5, 0).failed();
    expect(missing(story, 3600)).toEqual([]);
  });

  it('is the start of a job that was only requested', () => {
    expect(missing(new Story().requested(), 0)).toEqual([['queued', { ask: 'start' }]]);
  });

  it('is no start of a job that was refused', () => {
    expect(missing(new Story().requested().refused('q', 'DeleteRequested', 'expired'), 600)).toEqual([]);
  });

  it('is the sequences between those that were heard', () => {
    const story = new Story().started().batch(1, 0).batch(1, 0).batch(1, 0).batch(1, 0);
    const heard = story.events.filter(({ sequence }) => sequence !== 2 && sequence !== 4);
    expect(missing(story, 0, null, heard)).toEqual([
      [
        'gap',
        events({
          sequences: [
            [2, 2],
            [4, 4],
          ],
        }),
      ],
    ]);
  });

  it('is at most 200 sequences at once', () => {
    const story = new Story();
    for (let i = 0; i < 500; i++) story.batch(1, 0);
    const heard = story.events.slice(-1);
    expect(missing(story, 0, null, heard)).toEqual([['gap', events({ sequences: [[1, 200]] })]]);
  });

  it('is what a deleter says exists beyond the last event', () => {
    const story = new Story().started().batch(1, 0);
    expect(missing(story, 0, 2)).toEqual([]);
    expect(missing(story, 0, 7)).toEqual([['tail', events({ after: 2 })]]);
  });

  it('is everything after the last event of a job that is silent for a minute', () => {
    const story = new Story().started().batch(1, 0);
    expect(missing(story, 59)).toEqual([]);
    expect(missing(story, 60)).toEqual([['silent', events({ after: 2 })]]);
  });

  it('is everything of a job of which only the request or a cleaner was heard for a minute', () => {
    const requested = new Story().requested();
    expect(missing(requested, 59)).toEqual([['queued', { ask: 'start' }]]);
    expect(missing(requested, 60)).toEqual([
      ['queued', { ask: 'start' }],
      ['silent', events({ after: 0 })],
    ]);
    expect(missing(new Story().purged(1, [[0, 1]]), 60)).toEqual([['silent', events({ after: 0 })]]);
  });

  it('is nothing while the deleter said it waits', () => {
    const story = new Story().started().delayed(300);
    expect(missing(story, 299)).toEqual([]);
    expect(missing(story, 302)).toEqual([['silent', events({ after: 2 })]]);
  });

  it('is a batch past the last tier, or soon when nothing stands in any', () => {
    const story = new Story()
      .started()
      .batch(1, 2)
      .batch(1, 2)
      .purged(1, [[0, 1]]);
    const batches = ['batches', events({ batches: [[2, 2]] })];
    expect(missingWhileBusy(story, 58)).toEqual([]);
    expect(missingWhileBusy(story, 59)).toContainEqual(batches);
    expect(missing(story, 8)).toEqual([]);
    expect(missing(story, 9)).toEqual([batches]);
  });

  it('is no batch that a cleaner promised to try again', () => {
    const story = new Story()
      .started()
      .batch(1, 2)
      .purgeDelayed(1, [[0, 1]], 30);
    expect(missingWhileBusy(story, 89).map(([kind]) => kind)).toEqual(['silent']);
    expect(missingWhileBusy(story, 91).map(([kind]) => kind)).toEqual(['batches', 'silent']);
    expect(missing(story, 39).map(([kind]) => kind)).toEqual([]);
    expect(missing(story, 41).map(([kind]) => kind)).toEqual(['batches']);
  });

  it('is no batch of which all that is left has failed', () => {
    const story = new Story()
      .started()
      .batch(1, 2)
      .purgeFailed(1, [[0, 1]]);
    expect(missing(story, 3600).map(([kind]) => kind)).toEqual(['silent']);
  });

  it('is at once a batch that many later ones have overtaken, else only when the whole job stalls', () => {
    const story = new Story().started();
    for (let i = 1; i <= 30; i++) story.batch(1, 1);
    for (let i = 2; i <= 30; i++) story.purged(i, [[0, 0]]);
    const [overtaken] = whatIsMissing(fold(story.events), null, true, story.after(30));
    expect(overtaken).toMatchObject({ kind: 'batches', patienceMs: 0, ask: events({ batches: [[1, 1]] }) });
    const early = story.events.slice(0, 40);
    const [stalled] = whatIsMissing(fold(early), null, true, story.after(40)).filter(({ kind }) => kind === 'batches');
    expect(stalled).toMatchObject({
      patienceMs: 10_000,
      ask: events({
        batches: [
          [1, 1],
          [11, 30],
        ],
      }),
    });
  });

  it('is only the first batch of a stalled job while the queue of the cleaner is not empty', () => {
    const story = new Story().started();
    for (let i = 1; i <= 30; i++) story.batch(1, 1);
    story.purged(1, [[0, 0]]);
    const stalled = (cleanerIdle: boolean, told = story) =>
      whatIsMissing(fold(told.events), null, cleanerIdle, told.after(59)).find(({ kind }) => kind === 'batches');
    expect(stalled(true)?.ask).toEqual(events({ batches: [[2, 30]] }));
    expect(stalled(false)).toEqual({ ...stalled(true), patienceMs: 60_000, ask: events({ batches: [[2, 2]] }) });
    for (let i = 11; i <= 30; i++) story.purged(i, [[0, 0]]);
    expect(stalled(false)?.ask).toEqual(events({ batches: [[2, 10]] }));
  });

  it('is the answer to whatever was asked of a job, the first request first, also of one that is done', () => {
    const asked = new Story().requested().started().pauseRequested('p').cancelRequested('c');
    expect(missing(asked, 0)).toEqual([['unanswered', { ask: 'answers', requests: ['p', 'c'] }]]);
    expect(missing(asked.refused('p', 'PauseRequested', 'superseded').cancelled('c'), 0)).toEqual([]);
    const retried = new Story().requested().started().failed().retryRequested('r');
    expect(fold(retried.events)).toMatchObject({ status: 'failed', settled: false });
    expect(missing(retried, 3600)).toEqual([['unanswered', { ask: 'answers', requests: ['r'] }]]);
    expect(fold(retried.retried('r').events)).toMatchObject({ status: 'running', stage: { name: 'running' } });
  });

  it('is what was left by a job of which everything is accounted for, then its completion', () => {
    const verification = ['verification', { ask: 'verification' }];
    const story = new Story().started().batch(5, 0).finished();
    expect(missing(story, 0)).toEqual([verification]);
    expect(missing(story.recordsVerified(0, 1), 0)).toEqual([verification]);
    expect(missing(story.objectsChecked(), 0)).toEqual([['completion', { ask: 'completion' }]]);
  });

  it('is no answer of the bucket while anything stands in the queue of the cleaner', () => {
    const asked = (story: Story) =>
      whatIsMissing(fold(story.events), null, false, story.after(0)).map(({ kind }) => kind);
    const story = new Story().started().batch(5, 0).finished();
    expect(asked(story)).toEqual(['verification']);
    expect(asked(story.recordsVerified(0, 1))).toEqual([]);
  });
});
