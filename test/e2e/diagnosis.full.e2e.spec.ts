import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { rollUnderLoad } from '../faults/diagnosis/rolling-restarts.js';
import { keepFigures } from '../support/figures.js';
import { System } from '../support/system.js';

const MINUTES = Number(process.env['ROLLING_MINUTES'] ?? 10);

let system: System;
beforeAll(async () => {
  system = await System.start({ apis: 2, deleters: 2, cleaners: 2, monitors: 2 });
}, 120_000);
afterAll(() => system.stop(), 60_000);

it(
  'says of no job that something blocks it while everything is restarted in turn, under load',
  async () => {
    const { blocking, ...figures } = await rollUnderLoad(system, MINUTES);
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    keepFigures('rolling-restarts', { minutes: MINUTES, ...figures, blocking: blocking.length });
    expect(blocking).toEqual([]);
    expect(figures.restarts).toBeGreaterThanOrEqual(5 * MINUTES);
    expect(figures.jobs).toBeGreaterThanOrEqual(5 * MINUTES);
  },
  (MINUTES + 5) * 60_000,
);
