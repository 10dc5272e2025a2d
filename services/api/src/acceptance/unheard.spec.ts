import { describe, expect, test } from '@jest/globals';
import { type Acceptance, newAcceptance } from './acceptance.js';
import { firstLookAt, isFresh, verdict } from './unheard.js';

const noon = new Date('2026-11-01T12:00:00.000Z');
const at = (seconds: number): Date => new Date(noon.getTime() + seconds * 1000);
const VALID_FOR_S = 3600;

const request = { resource: 'receipts', selection: { all: true as const }, options: { batchSize: 500 }, reason: null };
const asked = { tenant: 'acme', requestedBy: 'ann', request };
const pending = newAcceptance('j1', asked, noon, VALID_FOR_S * 1000);
const accepted: Acceptance = { ...pending, state: 'accepted', lookAt: firstLookAt(noon) };

describe('a monitor is fresh', () => {
  const asOf = { position: 17, at: noon.toISOString(), lagMs: 0, monitorHeartbeatAgeMs: 900 };

  test.each([
    [true, 'lives and has nothing waiting', {}],
    [true, 'lives and folds what has just come', { lagMs: 2000, monitorHeartbeatAgeMs: 5000 }],
    [false, 'lags', { lagMs: 2001 }],
    [false, 'cannot tell its lag', { lagMs: null }],
    [false, 'has been silent', { monitorHeartbeatAgeMs: 5001 }],
    [false, 'never folded anything', { monitorHeartbeatAgeMs: null }],
  ])('%s: one that %s', (fresh, _, differs) => {
    expect(isFresh({ ...asOf, ...differs })).toBe(fresh);
  });
});

describe('an accepted request that a monitor does not know', () => {
  test('is published again 15 s after the confirm, and no sooner', () => {
    expect(verdict(accepted, 'not-found', at(14.999))).toEqual({ do: 'leave' });
    expect(verdict(accepted, 'not-found', at(15))).toEqual({ do: 'publish-again', lookAt: at(30).toISOString() });
  });

  test('is published again after pauses that grow to ten minutes', () => {
    let acceptance = accepted;
    const times: number[] = [];
    while (times.length < 9) {
      const now = new Date(acceptance.lookAt ?? '');
      const decided = verdict(acceptance, 'not-found', now);
      if (decided.do !== 'publish-again') throw new Error(decided.do);
      times.push((now.getTime() - noon.getTime()) / 1000);
      acceptance = { ...acceptance, lookAt: decided.lookAt, publishedAgain: times.length };
    }
    expect(times).toEqual([15, 30, 60, 120, 240, 480, 960, 1560, 2160]);
  });

  test('is published again up to its notAfter, at which the deleter refuses it', () => {
    expect(verdict(accepted, 'not-found', at(VALID_FOR_S - 0.001)).do).toBe('publish-again');
    expect(verdict(accepted, 'not-found', at(VALID_FOR_S))).toEqual({ do: 'leave' });
  });

  test('is left while nobody can tell', () => {
    for (const answer of ['unreachable', 'invalid'] as const) {
      expect(verdict(accepted, answer, at(60))).toEqual({ do: 'leave' });
    }
  });
});

test('an accepted request that a monitor knows is heard, however old', () => {
  expect(verdict(accepted, 'answer', at(1))).toEqual({ do: 'mark-heard' });
  expect(verdict(accepted, 'answer', at(VALID_FOR_S + 1))).toEqual({ do: 'mark-heard' });
});

test.each(['pending', 'refused', 'heard'] as const)(
  'a %s request is left: nobody waits for it to be heard',
  (state) => {
    for (const answer of ['not-found', 'answer'] as const) {
      expect(verdict({ ...accepted, state }, answer, at(60))).toEqual({ do: 'leave' });
    }
  },
);
