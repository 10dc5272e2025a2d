import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { tunedFor } from './floor-tuning.js';
import { asTuningPage, bestOf } from './tuning-page.js';

const rows = [
  { files: 1, page: 500, purges: 1, records_per_second: 10 },
  { files: 1, page: 500, purges: 4, records_per_second: 30 },
  { files: 1, page: 1000, purges: 1, records_per_second: 20 },
  { files: 1, page: 1000, purges: 4, records_per_second: 25 },
];

it('marks the fastest', () => {
  expect(bestOf(rows, 1)).toMatchObject({ page: 500, purges: 4 });
  const lines = asTuningPage({ records: 5, turns: 3, rows }).split('\n');
  expect(lines.filter((line) => /^\| (500|1000) /.test(line)).map((line) => line.replaceAll(' ', ''))).toEqual([
    '|500|10|**30**|',
    '|1000|20|25|',
  ]);
});

it.each([0, 1, 3])('the floor uses the best of bench/floor-tuning.md, for %d files', (files) => {
  const page = readFileSync(join(import.meta.dirname, '..', 'floor-tuning.md'), 'utf8');
  const [, table = ''] = page.split(`## ${files} files a record`);
  const own = table.split('\n## ')[0]?.split('\n') ?? [];
  const best = own.find((line) => line.includes('**')) ?? '';
  const cells = best.split('|').map((cell) => cell.trim());
  const head = own.find((line) => line.startsWith('| page')) ?? '';
  const purges = head.split('|')[cells.findIndex((cell) => cell.startsWith('**'))]?.trim().split(' ')[0];
  expect(tunedFor(files)).toEqual({ page: Number(cells[1]), purges: Number(purges) });
});
