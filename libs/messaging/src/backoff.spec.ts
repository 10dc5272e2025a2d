import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoff } from './backoff.js';

describe('backoff', () => {
  it.each([
    [1, 200],
    [2, 400],
    [3, 800],
    [4, 1600],
    [5, 3200],
    [6, 5000],
    [1000, 5000],
  ])('after failure %i is at most %i ms and at least half of that', (failures, longest) => {
    expect(backoff(failures, 0)).toBe(longest);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
        expect(backoff(failures, random)).toBeLessThanOrEqual(longest);
        expect(backoff(failures, random)).toBeGreaterThanOrEqual(longest / 2);
      }),
    );
  });
});
