import { expect, it } from '@jest/globals';
import type { Run } from '../throughput/run.js';
import { ratioTable, throughputTable } from './table.js';

const run = (told: Partial<Run>): Run => ({
  contestant: 'floor',
  bucket: 'instant',
  files: 1,
  turn: 1,
  records: 50_000,
  objects: 50_000,
  seconds: 2,
  records_per_second: 25_000,
  objects_per_second: 25_000,
  first_batch_ms: 40,
  cpu_seconds: { floor: 1, mongodb: 1.5 },
  peak_mb: { floor: 80, mongodb: 220 },
  written_bytes: { per_record: { mongodb: 700, rabbitmq: 50 }, per_object: {} },
  ...told,
});

it('has a row for each contestant of each bucket and number of files, with medians over the turns', () => {
  const runs = [
    run({ records_per_second: 20_000 }),
    run({ turn: 2, records_per_second: 30_000 }),
    run({ turn: 3, records_per_second: 21_000 }),
    run({
      contestant: 'expunge-1',
      files: 0,
      fold_ms: { p50: 12, p99: 80 },
      messages: { per_record: 0.0123, per_object: null },
    }),
  ];
  const rows = throughputTable(runs)
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  expect(rows.slice(2)).toEqual([
    [
      '',
      'answers at once',
      '0',
      'Expunge, 1 deleter',
      '50,000',
      '1',
      '25,000',
      '',
      '40',
      '2.5',
      '300',
      '750',
      '0.012',
      '12 / 80',
      '',
    ],
    ['', 'answers at once', '1', 'floor', '50,000', '3', '21,000', '25,000', '40', '2.5', '300', '750', '', '', ''],
  ]);
});

it('has a row for each ratio that there is', () => {
  const text = ratioTable({
    to_floor: { files_0: null, files_1: { min: 0.8, median: 0.9, max: 1 } },
    to_floor_with_2_deleters: {},
    to_original: {},
    remote_to_instant: {},
    many_to_one: { min: 1, median: 1.25, max: 1.3 },
  });
  expect(text.split('\n').slice(2)).toEqual([
    '| to floor, files 1 | 0.800 | 0.900  | 1.000 |',
    '| many to one       | 1.000 | 1.250  | 1.300 |',
  ]);
});
