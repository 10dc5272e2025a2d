import { describe, expect, it } from '@jest/globals';
import { delay } from './delay-job.js';
import { type DelayCause, type DeletionJob, withLane } from './deletion-job.js';
import { at, page, planFacts, record, runningJob } from './given.js';
import { msWithoutProgress, stillAtIt } from './no-progress.js';
import { planBatch } from './plan-batch.js';
import { resolvePlan } from './resolve-plan.js';
import { sliceVerdict } from './slice-verdict.js';
import { endSlice, release, startSlice } from './turn.js';

const HALF_AN_HOUR = 1_800_000;
const started = (job: DeletionJob, seconds: number) => stillAtIt(startSlice(job, 'd1'), at(seconds));
const verdict = (job: DeletionJob, seconds: number, change = {}) =>
  sliceVerdict(job, {
    turn: 1,
    now: at(seconds),
    process: 'd1',
    atWork: false,
    seen: null,
    noProgressForMs: HALF_AN_HOUR,
    ...change,
  });
/** Slices that start every `every` seconds and get nowhere, until the verdict is another. */
function fruitless(every: number, most = 1000) {
  let job = runningJob();
  for (let seconds = 0; seconds < most * every; seconds += every) {
    const found = verdict(job, seconds);
    if (found.do !== 'start') return { seconds, found };
    job = started(job, seconds);
  }
  return null;
}

describe('a job without progress', () => {
  it('is given up once slices have come to nothing for longer than the setting', () => {
    expect(fruitless(30)).toMatchObject({ seconds: 1830, found: { do: 'give-up', error: { code: 'NO_PROGRESS' } } });
  });

  it('is not held to time in which no deleter was at it: of a long silence a minute counts', () => {
    const job = started(runningJob(), 0);
    expect(verdict(job, 86_400)).toEqual({ do: 'start' });
    expect(msWithoutProgress(job.lanes[0], at(86_400))).toBe(60_000);
    expect(fruitless(3600)).toMatchObject({ seconds: 31 * 3600 });
  });

  it('is given up though a slice hangs in it, which says that it lives', () => {
    let job = started(runningJob(), 0);
    for (let seconds = 2; seconds <= 1802; seconds += 2) job = stillAtIt(job, at(seconds));
    expect(verdict(job, 1800, { atWork: true })).toMatchObject({ do: 'give-up', error: { code: 'NO_PROGRESS' } });
    expect(verdict(started(runningJob(), 0), 1800, { atWork: true })).toMatchObject({ do: 'watch' });
  });

  it.each<[DelayCause, boolean]>([
    ['store', true],
    ['purge-backlog', true],
    ['still-changing', true],
    ['error', false],
  ])('begins anew where it waits for a reason with limits of its own: %s, %s', (cause, anew) => {
    const why = { cause, error: { code: 'X', message: '' } };
    const waiting = delay(started(runningJob(), 0), why, { instance: 'd1', now: at(1) });
    expect(waiting.lanes[0].noProgress === null).toBe(anew);
  });

  it('begins anew with each batch resolved, each slice that ended, and where the worker knows why it stopped', () => {
    const planned = planBatch(started(runningJob(), 0), page(record('a')), planFacts);
    const facts = { newlyRetained: [], instance: 'd1', now: at(3), recordsNow: at(3) };
    for (const job of [
      resolvePlan(planned, { gone: 0, objectKeys: [], kept: [] }, facts),
      endSlice(started(runningJob(), 0)),
      release(started(runningJob(), 0)),
    ]) {
      expect(job.lanes[0].noProgress).toBeNull();
    }
    expect(planned.lanes[0].noProgress).not.toBeNull();
  });

  it('does not fail where it is cancelled, and only purges are asked for again', () => {
    const noProgress = { ms: 2 * HALF_AN_HOUR, at: at(0) };
    const job = withLane({ ...runningJob(), state: 'cancelled', purgesDue: true }, { noProgress });
    expect(verdict(job, 1)).toEqual({ do: 'start' });
  });

  it('takes no time back from a clock that was set back', () => {
    const job = withLane(runningJob(), { noProgress: { ms: 5000, at: at(100) } });
    expect(msWithoutProgress(job.lanes[0], at(50))).toBe(5000);
  });
});
