import { describe, expect, it } from '@jest/globals';
import { type Asks, pauseAfter, schedule } from './schedule.js';
import type { Missing } from './what-is-missing.js';

const gap = (fingerprint: string): Missing => ({
  kind: 'gap',
  fingerprint,
  patienceMs: 2000,
  ask: { ask: 'events', wanted: { after: 1 } },
});

/** Seconds at which it is asked, when something is missing in each second of an hour. */
function askedAt(seconds: number, missingAt: (second: number) => Missing[]): number[] {
  let asks: Asks = {};
  const asked: number[] = [];
  for (let second = 0; second <= seconds; second++) {
    const result = schedule(missingAt(second), asks, new Date(second * 1000));
    asks = result.asks;
    if (result.due.length > 0) asked.push(second);
  }
  return asked;
}

describe('schedule', () => {
  it('asks once the patience is over, then with pauses that double up to ten minutes', () => {
    expect(askedAt(3600, () => [gap('2')])).toEqual([2, 17, 47, 107, 227, 467, 947, 1547, 2147, 2747, 3347]);
    expect(pauseAfter(100)).toBe(600_000);
  });

  it('asks for nothing that comes in time', () => {
    expect(askedAt(60, (second) => (second % 3 < 2 ? [gap('2')] : []))).toEqual([]);
  });

  it('begins anew when asking helped, but not more often than every five seconds', () => {
    expect(askedAt(10, (second) => [gap(second < 3 ? '2' : '7')])).toEqual([2, 7]);
  });
});
