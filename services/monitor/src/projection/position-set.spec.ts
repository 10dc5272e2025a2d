import { describe, expect, it } from '@jest/globals';
import { positions } from '@expunge/contracts';
import fc from 'fast-check';
import { read, written } from './position-set.js';

describe('a set of positions as text', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000)), (numbers) => {
        const set = positions.positionsOf(numbers);
        expect(read(written(set))).toEqual(set);
      }),
    );
  });

  it.each([
    [[], ''],
    [[5], '5'],
    [[0, 1, 2, 900], '0-2,900'],
    [[8, 10, 12], '8:FQ'],
    // A bitmap of this one would have a quarter of a gigabyte.
    [[0, 2_000_000_000], '0,2000000000'],
  ])('of %j is %j', (numbers, text) => {
    expect(written(positions.positionsOf(numbers))).toBe(text);
    expect(read(text)).toEqual(positions.positionsOf(numbers));
  });

  it('never takes more than a sixth of a character a number of its span', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(999), { maxLength: 1000 }), (numbers) => {
        expect(written(positions.positionsOf(numbers)).length).toBeLessThanOrEqual(4 + Math.ceil((125 * 4) / 3));
      }),
    );
  });
});
