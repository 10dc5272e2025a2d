import { expect, it } from '@jest/globals';
import { bucketsOf, quantileBetween, sampled } from './metrics.js';

const text = (small: number, all: number) => `
# TYPE took histogram
took_count{queue="a"} ${all}
took_bucket{queue="a",le="0.1"} ${small}
took_bucket{queue="a",le="0.2"} ${all}
took_bucket{queue="a",le="+Inf"} ${all}
took_bucket_of_another{le="0.1"} 999
`;

it('adds what several tell of one metric, and nothing of another with a longer name', () => {
  expect(sampled([text(1, 3), text(2, 5)], 'took_count')).toBe(8);
  expect(bucketsOf([text(1, 3), text(2, 5)], 'took')).toEqual(
    new Map([
      [0.1, 3],
      [0.2, 8],
      [Infinity, 8],
    ]),
  );
});

it('tells how long the given share took at most, of what came between two looks', () => {
  const [before, after] = [bucketsOf([text(10, 10)], 'took'), bucketsOf([text(60, 110)], 'took')];
  expect(quantileBetween(before, after, 0.25)).toBeCloseTo(0.05);
  expect(quantileBetween(before, after, 0.5)).toBeCloseTo(0.1);
  expect(quantileBetween(before, after, 0.75)).toBeCloseTo(0.15);
});

it('does not know how much longer the longest were than the last bound', () => {
  const none = bucketsOf([], 'took');
  const after = bucketsOf(['took_bucket{le="0.1"} 1\ntook_bucket{le="+Inf"} 4'], 'took');
  expect(quantileBetween(none, after, 0.99)).toBe(0.1);
  expect(quantileBetween(after, after, 0.5)).toBeNaN();
});
