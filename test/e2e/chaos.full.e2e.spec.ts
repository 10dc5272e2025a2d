import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { chaosRun } from '../support/chaos-run.js';
import { repositoryRoot } from '../support/command.js';

const MINUTES = 20;
const figures = join(repositoryRoot, 'test', 'dist', 'figures');

it.each([11, 12, 13])(
  `${MINUTES} minutes of chaos by seed %i violate nothing`,
  async (seed) => {
    const { violations, last, seconds } = await chaosRun(MINUTES, seed);
    process.stdout.write(`${JSON.stringify(last)}\n`);
    mkdirSync(figures, { recursive: true });
    writeFileSync(join(figures, `chaos-${seed}.json`), `${JSON.stringify({ ...(last as object), seconds })}\n`);
    expect(violations).toEqual([]);
    expect(last).toEqual({ seed, minutes: MINUTES, jobs: 4, faults: expect.any(Number) as unknown, violations: 0 });
  },
  2_400_000,
);
