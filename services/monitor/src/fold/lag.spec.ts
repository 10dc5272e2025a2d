import { describe, expect, it } from '@jest/globals';
import {
  type Backlog,
  isProbeDue,
  lagMs,
  looked,
  nothingKnown,
  probeArrived,
  probeConfirmed,
  probeFailed,
  probeSent,
} from './lag.js';

const none = { since: null, failed: false };
const look = (at: number, ready: number, tiers = 0) => ({ at, ready, tiers });
const empty = looked(nothingKnown, look(0, 0));

/** Behind 9 messages that were there when this instance took over, a probe sent at 100. */
const probing = probeConfirmed(probeSent(looked(nothingKnown, look(0, 9)), 'p1', 100), 'p1', 150);

describe('the lag', () => {
  it('is unknown before the first look, after one that failed, and when the last is old', () => {
    expect(lagMs(nothingKnown, none, 0)).toBeNull();
    expect(lagMs(looked(empty, null), none, 0)).toBeNull();
    expect(lagMs(empty, none, 3000)).toBe(0);
    expect(lagMs(empty, none, 3001)).toBeNull();
  });

  it('is 0 only while queue and tiers are empty and nothing is in hand', () => {
    expect(lagMs(empty, none, 10)).toBe(0);
    expect(lagMs(empty, { since: 4, failed: false }, 10)).toBe(6);
    expect(lagMs(empty, { since: 10, failed: false }, 10)).toBe(1);
    expect(lagMs(looked(empty, look(10, 1)), none, 10)).toBe(1);
  });

  it('is unknown after a take-over with a backlog until the first probe has come back', () => {
    expect(lagMs(probing, { since: 0, failed: false }, 2000)).toBeNull();
    expect(lagMs(probeArrived(probing, 'p1', 2100), none, 2200)).toBe(2000);
  });

  it('is what the last probe took, or longer while the next is on its way', () => {
    const passed = looked(probeArrived(probing, 'p1', 2100), look(3000, 5));
    const next = probeSent(passed, 'p2', 3000);
    expect(lagMs(next, none, 3500)).toBe(2000);
    expect(lagMs(looked(next, look(6000, 5)), none, 6000)).toBe(3000);
    expect(lagMs(probeArrived(next, 'p2', 3040), none, 3050)).toBe(40);
    expect(lagMs(next, { since: 500, failed: false }, 3500)).toBe(3000);
  });

  it('ends when the queue is seen empty', () => {
    expect(lagMs(looked(probing, look(1000, 0)), none, 1000)).toBe(0);
  });

  it('is unknown while a tier holds what failed at another instance, else since it was first in hand', () => {
    const waiting = looked(empty, look(1000, 0, 1));
    expect(lagMs(waiting, none, 1500)).toBeNull();
    expect(lagMs(waiting, { since: 200, failed: true }, 1500)).toBe(1300);
    const takenOver = looked(nothingKnown, look(1000, 0, 1));
    expect(lagMs(looked(takenOver, look(2000, 1)), none, 2000)).toBeNull();
    expect(lagMs(looked(takenOver, look(2000, 0)), none, 2000)).toBe(0);
  });
});

describe('a probe', () => {
  it('is due while messages are in queue or tiers, one at a time', () => {
    const due = [nothingKnown, empty, looked(empty, look(10, 3)), looked(empty, look(10, 0, 3)), probing].map(
      isProbeDue,
    );
    expect(due).toEqual([false, false, true, true, false]);
    expect(isProbeDue(looked(probeArrived(probing, 'p1', 900), look(1000, 2)))).toBe(true);
  });

  it('of another instance, or of before a take-over, measures nothing', () => {
    expect(probeArrived(probing, 'other', 900)).toEqual(probing);
    expect(probeArrived(nothingKnown, 'p1', 900)).toEqual(nothingKnown);
  });

  it('that could not be sent leaves the lag unknown, and the next look sends another', () => {
    const passed: Backlog = { ...probing, passedMs: 5 };
    const failed = probeFailed(passed, 'p1');
    expect(lagMs(failed, none, 1000)).toBeNull();
    expect(isProbeDue(failed)).toBe(true);
  });

  it('is forgotten with a queue that was purged, but not before the broker had it', () => {
    expect(looked(probing, look(150, 0)).probe).not.toBeNull();
    expect(looked(probing, look(151, 0)).probe).toBeNull();
    expect(looked(probeSent(empty, 'p1', 100), look(9000, 0)).probe).not.toBeNull();
  });
});
