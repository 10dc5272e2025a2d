import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { median } from './report/ratios.js';
import { record, resultsFile } from './results.js';
import { type Fill, makeFill, removeFill } from './throughput/fill.js';
import type { Tuning } from './throughput/floor-tuning.js';
import { asTuningPage, type TuningRow } from './throughput/tuning-page.js';
import { runFloor } from './throughput/run-contestant.js';

const RECORDS = Number(process.env['RECORDS'] ?? 50_000);
const TURNS = Number(process.env['TURNS'] ?? 3);
const FILES = [0, 1, 3];
const PAGES = [500, 1000, 2000, 5000];
const PURGES = [1, 4, 8, 16];

const fills = new Map<number, Fill>();
beforeAll(async () => {
  for (const files of FILES) {
    fills.set(files, await makeFill({ records: RECORDS, files, inSimulator: false }));
  }
}, 600_000);
afterAll(() => {
  for (const fill of fills.values()) removeFill(fill);
});

const settings = (files: number): Tuning[] =>
  PAGES.flatMap((page) => (files === 0 ? [1] : PURGES).map((purges) => ({ page, purges })));

it('records a second of the floor, by page size and purges under way', async () => {
  const rows: TuningRow[] = [];
  for (const [files, fill] of fills) {
    const rates = settings(files).map((tuning) => ({ tuning, rates: [] as number[] }));
    for (let turn = 1; turn <= TURNS; turn++) {
      for (const one of rates) {
        const run = await runFloor({ contestant: 'floor', bucket: 'instant', files, turn }, fill, one.tuning);
        expect(run.records).toBe(RECORDS);
        one.rates.push(run.records_per_second);
      }
    }
    rows.push(...rates.map((one) => ({ files, ...one.tuning, records_per_second: Math.round(median(one.rates)) })));
  }
  record('floor-tuning', { records: RECORDS, turns: TURNS, rows });
  const folder = process.env['RESULTS'] === undefined ? 'bench' : dirname(resultsFile());
  writeFileSync(join(folder, 'floor-tuning.md'), asTuningPage({ records: RECORDS, turns: TURNS, rows }));
}, 3_600_000);
