import { beforeAll, expect, it } from '@jest/globals';
import { type ChaosRun, chaosRun } from '../support/chaos-run.js';
import { keepFigures } from '../support/figures.js';

const MINUTES = 20;
const SEEDS = [11, 12, 13];

/** All at once, each on servers of its own: an hour becomes twenty minutes, and the machine is as busy as it may be. */
const runs = new Map<number, Promise<ChaosRun>>();
beforeAll(() => {
  for (const seed of SEEDS) {
    const run = chaosRun(MINUTES, seed);
    run.catch(() => undefined);
    runs.set(seed, run);
  }
});

it.each(SEEDS)(
  `${MINUTES} minutes of chaos by seed %i violate nothing`,
  async (seed) => {
    const { violations, last, seconds } = await (runs.get(seed) as Promise<ChaosRun>);
    process.stdout.write(`${JSON.stringify(last)}\n`);
    keepFigures(`chaos-${seed}`, { ...(last as object), seconds });
    expect(violations).toEqual([]);
    expect(last).toEqual({ seed, minutes: MINUTES, jobs: 4, faults: expect.any(Number) as unknown, violations: 0 });
  },
  3_600_000,
);
