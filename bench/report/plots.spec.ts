import { expect, it } from '@jest/globals';
import type { Recorded } from '../results.js';
import { plotsOf } from './plots.js';
import { ratiosOf } from './ratios.js';

const rates = { floor: 25_000, original: 500, 'expunge-1': 20_000, 'expunge-2': 21_000 };
const recorded: Recorded[] = [
  ...Object.entries(rates).map(([contestant, rate]) => ({
    ...{ name: 'throughput', at: '', bucket: 'instant', files: 1, turn: 1, contestant, records_per_second: rate },
    ...(contestant === 'expunge-1' && { fold_ms: { p50: 10, p99: 80 } }),
  })),
  { name: 'growth-of-the-job', at: '', records: 10, cpu_ms_per_record: 5 },
  { name: 'growth-of-the-job', at: '', records: 1000, cpu_ms_per_record: 0.2 },
  { name: 'growth-of-the-projection', at: '', old_jobs: 10, cpu_ms_per_record: 0.2 },
  ...['floor', 'journal', 'expunge'].map((step, i) => ({
    ...{ name: 'promises', at: '', step, files: 1, turn: 1, records: 1000, records_per_second: 1000 / (1 + i) },
    cpu_seconds: { loop: 0.02, mongodb: 0.03 },
  })),
];

it('draws each plot, twice the same', async () => {
  const first = await plotsOf(recorded, ratiosOf(recorded));
  expect(Object.keys(first)).toEqual(['throughput', 'to-floor', 'growth', 'event-to-projection', 'promises']);
  expect(await plotsOf(recorded, ratiosOf(recorded))).toEqual(first);
  const { throughput = '', 'to-floor': toFloor = '', promises = '' } = first;
  expect(throughput.match(/aria-roledescription="bar"/g)).toHaveLength(4);
  expect(toFloor.match(/aria-roledescription="point"/g)).toHaveLength(2);
  // Of three steps a ratio each, and the processor time of two parts.
  expect(promises.match(/aria-roledescription="bar"/g)).toHaveLength(9);
});

it('draws them of nothing, too', async () => {
  for (const svg of Object.values(await plotsOf([], ratiosOf([])))) expect(svg).toMatch(/^<svg/);
});
