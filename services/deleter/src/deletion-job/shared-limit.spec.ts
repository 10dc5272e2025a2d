import { describe, expect, it } from '@jest/globals';
import { at, runningJob } from './given.js';
import { msAtRate } from './pace.js';
import { type HeldUp, heldUpAfter, heldUpMs, isUsedUp, msUntilAsking, yieldsUntil } from './shared-limit.js';
import { putBack, startSlice } from './turn.js';
import { withLane } from './deletion-job.js';

const places = (freeAt: number | null) => ({ now: at(100), freeAt: freeAt === null ? null : at(freeAt) });

it('takes up whole milliseconds, never fewer than the limit allows', () => {
  expect(
    [
      [1, 1],
      [5, 10],
      [1, 3],
      [500, 1_000_000],
      [500, 10],
    ].map(([records = 0, rate = 0]) => msAtRate(records, rate)),
  ).toEqual([1000, 500, 334, 1, 50_000]);
});

describe('a job', () => {
  it('asks for a place at once while one begins within a second', () => {
    expect([null, 0, 99.9, 100, 100.5, 101].map((freeAt) => msUntilAsking(places(freeAt), null))).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
    expect([null, 100, 101].map((freeAt) => isUsedUp(places(freeAt)))).toEqual([false, false, false]);
  });

  it('comes back when one may, and after 4 s at most', () => {
    expect([101.2, 103, 400].map((freeAt) => msUntilAsking(places(freeAt), null))).toEqual([200, 2000, 4000]);
    expect(isUsedUp(places(101.001))).toBe(true);
  });

  it('that had its share leaves a place to others, unless it is free at once', () => {
    expect(msUntilAsking(places(100.5), at(103))).toBe(3000);
    expect(msUntilAsking(places(100.5), at(200))).toBe(4000);
    expect(msUntilAsking(places(100), at(103))).toBe(0);
    expect(msUntilAsking(places(100.5), at(100))).toBe(0);
  });

  it('has had its share until each of the others can have had as much', () => {
    expect(yieldsUntil(at(7), 500, 100)).toEqual(at(57));
    expect(yieldsUntil(at(7), 500, 0)).toEqual(at(7.5));
  });
});

describe('the limit is what slows jobs down', () => {
  const after = (...places: [at: number, waits: boolean][]) =>
    places.reduce<HeldUp | null>((before, [time, waits]) => heldUpAfter(before, waits, time), null);

  it('once each of them had to wait for a second', () => {
    expect(heldUpMs(after([0, true], [500, true], [1000, true]), 1200)).toBe(200);
    expect(heldUpMs(after([0, true], [999, true]), 5000)).toBeNull();
  });

  it('only until a place was free at once', () => {
    expect(heldUpMs(after([0, true], [900, true], [1000, false], [1100, true]), 1200)).toBeNull();
    expect(heldUpMs(after(), 1200)).toBeNull();
  });
});

describe('a job that is put back', () => {
  const waiting = withLane(runningJob(), { attempt: 3, strikes: 2 });

  it('is at its turn as before, since nothing went wrong and nothing was done', () => {
    const back = putBack(startSlice(waiting, 'p'));
    expect(back.lanes).toEqual([{ ...waiting.lanes[0], noProgress: null }]);
  });

  it('keeps the strike of a worker that died', () => {
    const back = putBack(startSlice(withLane(waiting, { holder: 'dead' }), 'p'));
    expect(back.lanes[0]).toMatchObject({ attempt: 3, strikes: 3, holder: null });
  });

  it('has ended its slice where that got on', () => {
    const { turn } = waiting.lanes[0];
    const resolved = withLane(startSlice(waiting, 'p'), { attempt: 0, strikes: 0 });
    expect(putBack(resolved).lanes[0]).toMatchObject({ turn: turn + 1, attempt: 0, holder: null });
  });
});
