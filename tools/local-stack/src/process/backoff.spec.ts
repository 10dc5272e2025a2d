import { expect, it } from '@jest/globals';
import { restartDelay } from './backoff.js';

it('waits 0.5 s after the first death, doubles, and never waits more than 5 s', () => {
  expect([1, 2, 3, 4, 5, 6, 40].map(restartDelay)).toEqual([500, 1000, 2000, 4000, 5000, 5000, 5000]);
});
