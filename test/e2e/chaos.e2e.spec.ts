import { expect, it } from '@jest/globals';
import { chaosRun } from '../support/chaos-run.js';

it('two minutes of chaos by a fixed seed violate nothing', async () => {
  const { violations, last } = await chaosRun(2, 7);
  expect(violations).toEqual([]);
  expect(last).toEqual({ seed: 7, minutes: 2, jobs: 4, faults: expect.any(Number) as unknown, violations: 0 });
}, 900_000);
