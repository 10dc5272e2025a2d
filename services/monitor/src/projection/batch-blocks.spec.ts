import { describe, expect, it } from '@jest/globals';
import { positions } from '@expunge/contracts';
import fc from 'fast-check';
import {
  batchOf,
  handedOverBatches,
  noBatches,
  type OpenBatch,
  resolvedBatches,
  unaccountedBatches,
  withBatch,
} from './batch-blocks.js';

const untouched = (keys: number, deletedAt: number): OpenBatch => ({
  keys,
  deletedAt,
  retryAt: null,
  purged: [],
  failed: [],
});

/** A batch whose times still matter, or null for a resolved one. */
const state = fc.oneof(
  fc.constant(null),
  fc.record({ keys: fc.integer({ min: 1, max: 3 }), second: fc.nat(2) }).map((b) => untouched(b.keys, b.second)),
  fc.array(fc.nat(30), { minLength: 1, maxLength: 12 }).map((numbers): OpenBatch => {
    const failed = positions.positionsOf(numbers);
    const purged = positions.difference([[0, 30]], failed);
    return { keys: 31, deletedAt: null, retryAt: null, purged, failed };
  }),
  fc.array(fc.nat(30), { minLength: 1, maxLength: 12 }).map((numbers): OpenBatch => {
    const purged = positions.positionsOf(numbers);
    return { keys: null, deletedAt: null, retryAt: 7, purged, failed: [] };
  }),
);

const writes = fc.array(fc.record({ number: fc.integer({ min: 95, max: 215 }), state }), { maxLength: 60 });

describe('the batches of a job', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(writes, (all) => {
        const resolved = new Set<number>();
        const open = new Map<number, OpenBatch>();
        let batches = noBatches;
        for (const { number, state } of all) {
          if (resolved.has(number)) continue;
          batches = withBatch(batches, number, state);
          open.delete(number);
          if (state) open.set(number, state);
          else resolved.add(number);
        }
        for (const [number, state] of open) expect(batchOf(batches, number)).toEqual(state);
        for (const number of resolved) expect(batchOf(batches, number)).toBeNull();
        const numbersOf = (which: (batch: OpenBatch) => boolean) =>
          positions.positionsOf([...open].filter(([, batch]) => which(batch)).map(([number]) => number));
        expect(resolvedBatches(batches)).toEqual(positions.positionsOf(resolved));
        expect(handedOverBatches(batches)).toEqual(numbersOf(({ keys }) => keys !== null));
        const unaccounted = [...unaccountedBatches(batches)].map(([numbers]) => numbers);
        expect(positions.union(...unaccounted)).toEqual(numbersOf((b) => b.keys === null || b.deletedAt !== null));
      }),
    );
  });

  it('stand as they do whatever the order in which they came', () => {
    // Few numbers in few states, so that many states are of several batches.
    const common = fc.constantFrom(null, untouched(1, 1), untouched(1, 2), untouched(2, 1));
    const distinct = fc.uniqueArray(fc.record({ number: fc.integer({ min: 95, max: 115 }), state: common }), {
      selector: ({ number }) => number,
      maxLength: 21,
    });
    const orders = distinct.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    const write = (all: { number: number; state: OpenBatch | null }[]) =>
      all.reduce((batches, { number, state }) => withBatch(batches, number, state), noBatches);
    fc.assert(
      fc.property(orders, ([all, shuffled]) => {
        expect(JSON.stringify(write(shuffled))).toBe(JSON.stringify(write(all)));
      }),
    );
  });

  it('say the same of many once', () => {
    let batches = noBatches;
    for (let number = 1; number <= 100; number++) batches = withBatch(batches, number, untouched(1, 9));
    expect(batches.blocks).toEqual({ 0: { resolved: '', open: { '1-100': { keys: 1, deletedAt: 9 } } } });
  });

  it('keep nothing of a block of which every batch is resolved', () => {
    let batches = noBatches;
    for (let number = 300; number > 100; number--) batches = withBatch(batches, number, null);
    expect(batches).toEqual({ resolved: [[1, 2]], blocks: {} });
    expect(resolvedBatches(batches)).toEqual([[101, 300]]);
  });

  it('forget what a batch waited for once every key of it is purged or failed', () => {
    const failed = positions.positionsOf(Array.from({ length: 500 }, (_, i) => 2 * i));
    const purged = positions.difference([[0, 999]], failed);
    const known = { keys: 1000, deletedAt: 9, retryAt: 10, purged, failed };
    const batches = withBatch(noBatches, 7, known);
    expect(batches.blocks[0]?.open).toEqual({ 7: { keys: 1000, failed: `0:${'VVVV'.repeat(41)}VVU` } });
    expect(batchOf(batches, 7)).toEqual({ ...known, deletedAt: null, retryAt: null });
  });
});
