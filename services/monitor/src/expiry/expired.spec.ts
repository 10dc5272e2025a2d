import { describe, expect, it } from '@jest/globals';
import { type AnyMessage, JobExpired } from '@expunge/contracts';
import { compact } from '../ledger/compact.js';
import { evolve } from '../projection/evolve.js';
import type { JobProjection } from '../projection/job.js';
import { Story } from '../testing/story.js';
import { beginsAnew, hasExpired, isAnotherJob, jobExpired } from './expired.js';

const DAY_MS = 86_400_000;
const DAY_S = 86_400;

function fold(events: AnyMessage[]): JobProjection {
  const job = events.reduce<JobProjection | null>(
    (known, message, i) => evolve(known, { position: i + 1, message: compact(message) }),
    null,
  );
  if (!job) throw new Error('no event');
  return job;
}

/** Its request is valid for a day from its start. */
const failed = () => new Story().requested().started().batch(5, 0).failed();

describe('a settled job', () => {
  it('has expired when its last event is older than it is kept', () => {
    const story = failed();
    const job = fold(story.events);
    expect(hasExpired(job, 10 * DAY_MS, story.after(10 * DAY_S))).toBe(false);
    expect(hasExpired(job, 10 * DAY_MS, story.after(10 * DAY_S + 1))).toBe(true);
  });

  it('is kept for two days more than its request is valid, however short it is kept', () => {
    const story = failed();
    const job = fold(story.events);
    // The last event is four seconds after the start.
    expect(hasExpired(job, 0, story.after(3 * DAY_S - 4))).toBe(false);
    expect(hasExpired(job, 0, story.after(3 * DAY_S - 3))).toBe(true);
  });

  it('is kept when its request was never heard: that may still come', () => {
    const story = new Story().cancelRequested('c').cancelled('c');
    expect(fold(story.events)).toMatchObject({ settled: true, request: null });
    expect(hasExpired(fold(story.events), DAY_MS, story.after(4000 * DAY_S))).toBe(false);
    const late = new Story().requested().cancelRequested('c').cancelled('c');
    expect(hasExpired(fold(late.events), DAY_MS, late.after(4000 * DAY_S))).toBe(true);
  });
});

it.each([
  ['under way', new Story().requested().started().batch(5, 0)],
  ['paused', new Story().requested().started().pauseRequested('p').paused('p')],
  ['with a request that nobody answered', failed().retryRequested('r')],
  ['with objects that nobody accounted for', new Story().requested().started().batch(5, 3).failed()],
])('a job %s never expires', (_, story) => {
  expect(hasExpired(fold(story.events), DAY_MS, story.after(4000 * DAY_S))).toBe(false);
});

it('the word that a job has expired names its last event and position, and is the same when said again', () => {
  const story = failed();
  const said = jobExpired(fold(story.events), story.after(1));
  expect(JobExpired.schema.parse(said)).toEqual(said);
  expect(said).toMatchObject({
    id: 'job-1:expired:4',
    subject: 'job-1',
    tenantid: 'tenant-1',
    data: { sequence: 3, position: 4 },
  });
  expect(jobExpired(fold(story.events), story.after(60)).id).toBe(said.id);
});

it('of a job that is gone only a later request of its id is more than a late repetition', () => {
  const gone = failed();
  const expiredAt = gone.after(10 * DAY_S);
  const again = new Story('job-1', expiredAt.getTime()).requested().started();
  const beginning = (events: AnyMessage[]) =>
    events.map(compact).map((message) => beginsAnew(message, expiredAt.toISOString()));
  expect(beginning(gone.retryRequested('r').refused('r', 'RetryRequested', 'superseded').events)).not.toContain(true);
  expect(beginning(again.events)).toEqual([true, false]);
  expect(isAnotherJob(fold(gone.events).firstAt, expiredAt.toISOString())).toBe(false);
  expect(isAnotherJob(fold(again.events).firstAt, expiredAt.toISOString())).toBe(true);
});
