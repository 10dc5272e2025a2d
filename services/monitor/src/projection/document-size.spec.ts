import { describe, expect, it } from '@jest/globals';
import { type Positions, positions } from '@expunge/contracts';
import { BSON } from 'mongodb';
import { type Batches, noBatches, type OpenBatch, withBatch } from './batch-blocks.js';
import { firstHeardOf } from './job.js';

const START_S = Date.parse('2026-11-01T10:00:00.000Z') / 1000;

/** MongoDB takes 16,777,216 bytes. What it takes to store so many batches grows with their number and not faster. */
function bytesOf(count: number, stateOf: (number: number) => OpenBatch | null): number {
  let batches: Batches = noBatches;
  for (let number = 1; number <= count; number++) batches = withBatch(batches, number, stateOf(number));
  const job = { ...firstHeardOf('job-1', '2026-11-01T10:00:00.000Z'), batches };
  return BSON.calculateObjectSize(job);
}

const untouched = (keys: number, second: number): OpenBatch => {
  return { keys, deletedAt: START_S + Math.ceil(second), retryAt: null, purged: [], failed: [] };
};

const even: Positions = Array.from({ length: 500 }, (_, i) => [2 * i, 2 * i]);
/** Every second of a thousand keys but one, which is another one in each batch: none of a block are alike. */
const almostHalf = (number: number) => positions.difference(even, [[2 * (number % 500), 2 * (number % 500)]]);

describe('a job, as it is stored', () => {
  it('takes 2.1 MB at most for each 10,000 batches of 1000 keys of which every second has failed', () => {
    const size = bytesOf(400, (number) => {
      const failed = almostHalf(number);
      const purged = positions.difference([[0, 999]], failed);
      return { keys: 1000, deletedAt: START_S, retryAt: START_S, purged, failed };
    });
    expect(size).toBeLessThan(84_000);
  });

  it('takes 4.5 MB at most for each 10,000 of them of which some keys are pending too', () => {
    const size = bytesOf(400, (number) => {
      const failed = almostHalf(number);
      const purged = positions.difference(
        even.map(([n]) => [n + 1, n + 1]),
        [[999, 999]],
      );
      return { keys: 1000, deletedAt: START_S + number, retryAt: START_S + number, purged, failed };
    });
    expect(size).toBeLessThan(180_000);
  });

  it('takes 24 kB for each 10,000 batches of one key that wait, deleted at twenty a second', () => {
    expect(bytesOf(10_000, (number) => untouched(1, number / 20))).toBeLessThan(26_000);
  });

  it('takes 380 kB at most for each 10,000 that wait and have nothing in common', () => {
    expect(bytesOf(2000, (number) => untouched(1, number))).toBeLessThan(76_000);
  });

  it('takes no more when every other one is resolved', () => {
    expect(bytesOf(10_000, (number) => (number % 2 ? null : untouched(1, number / 20)))).toBeLessThan(32_000);
  });
});
