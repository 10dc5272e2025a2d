import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { at } from './given.js';
import { pacedBatchSize, paceAt } from './pace.js';

it('never lets more than 5 % above the rate go in any ten seconds, however long batches take', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 20 }),
      (rate, batchSize, tookMs) => {
        const records = pacedBatchSize(batchSize, rate);
        const gone: number[] = [];
        for (let now = 0, n = 0; now < 30_000 && n < 30_000; n++) {
          const done = now + tookMs[n % tookMs.length]!;
          gone.push(done);
          now = paceAt(rate, records, new Date(done))!.getTime();
        }
        let first = 0;
        for (const [last, end] of gone.entries()) {
          while (gone[first]! <= end - 10_000) first += 1;
          expect((last - first + 1) * records).toBeLessThanOrEqual(rate * 10 * 1.05);
        }
      },
    ),
    { numRuns: 200 },
  );
});

it('is nothing without a rate', () => {
  expect(pacedBatchSize(500, null)).toBe(500);
  expect(paceAt(null, 500, at(0))).toBeNull();
});

it('shrinks the batch to half a second, at least to one record', () => {
  expect([1, 2, 3, 100, 5000].map((rate) => pacedBatchSize(500, rate))).toEqual([1, 1, 1, 50, 500]);
  expect(paceAt(50, 25, at(0))).toEqual(at(0.5));
});
