import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inCalls } from './delete-records.js';

const planned = (count: number) => Array.from({ length: count }, (_, id) => ({ id, keys: [] }));

describe('the calls of a delete', () => {
  it.each([
    [0, [0]],
    [1, [1]],
    [499, [499]],
    [500, [250, 250]],
    [2000, [1000, 1000]],
  ])('of %i records have %j', (count, sizes) => {
    expect(inCalls(planned(count)).map((records) => records.length)).toEqual(sizes);
  });

  it('have each planned record once, in order', () => {
    fc.assert(
      fc.property(fc.nat(3000), (count) => {
        expect(inCalls(planned(count)).flat()).toEqual(planned(count));
      }),
    );
  });
});
