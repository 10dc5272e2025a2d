import { expect, it } from '@jest/globals';
import type { Step } from '../promises/steps.js';
import type { Recorded } from '../results.js';
import { stepCosts, stepTable } from './promises.js';

const told = (step: Step, turn: number, rate: number, cpu: Record<string, number>, files = 1): Recorded => ({
  ...{ name: 'promises', at: '', step, files, turn, records: 2000, records_per_second: rate, cpu_seconds: cpu },
});

const runs = [
  told('journal', 1, 500, { floor: 0.04, mongodb: 0.06, bucket: 0.02 }),
  told('floor', 1, 1000, { floor: 0.04, mongodb: 0.05, bucket: 0.02 }),
  told('floor', 2, 100, { floor: 0.06, mongodb: 0.07, bucket: 0.02 }),
  told('journal', 2, 80, { floor: 0.06, mongodb: 0.1, bucket: 0.02 }),
  told('expunge', 2, 40, { 'api-1': 0.02, 'deleter-1': 0.1, mongodb: 0.1, rabbitmq: 0.08, bucket: 0.02 }),
];

it('tells of each step, in their order, what it makes of the floor of the same turn and what it costs', () => {
  const rows = stepTable(stepCosts(runs)).split('\n').slice(2);
  expect(rows.map((row) => row.split('|').map((cell) => cell.trim()))).toEqual([
    ['', '1', 'floor', '2', '550', '1.00 (1.00 to 1.00)', '25.0', '40.0', '', ''],
    ['', '1', 'journal', '2', '290', '0.65 (0.50 to 0.80)', '25.0', '50.0', '+10.0', ''],
    ['', '1', 'expunge', '1', '40', '0.40 (0.40 to 0.40)', '60.0', '100.0', '+85.0', ''],
  ]);
});

it('says that a step took less than the one before, and compares nothing with the first', () => {
  const less = [told('journal', 1, 10, { loop: 0.02 }), told('looks', 1, 10, { loop: 0.01 })];
  expect(stepCosts(less)).toMatchObject([
    { toFloor: null, moreMs: null },
    { toFloor: null, moreMs: -5 },
  ]);
});

it('keeps numbers of files apart', () => {
  const costs = stepCosts([told('batches', 1, 30, {}, 3), ...runs, told('floor', 1, 60, {}, 3)]);
  expect(costs.filter(({ files }) => files === 3)).toMatchObject([
    { step: 'floor', toFloor: { median: 1 } },
    { step: 'batches', toFloor: { median: 0.5 } },
  ]);
});
