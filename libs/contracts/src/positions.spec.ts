import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { count, difference, each, format, has, Positions, positionsOf, union } from './positions.js';

// Few enough numbers that ranges often touch, overlap and repeat.
const numbers = fc.array(fc.nat({ max: 40 }), { maxLength: 30 });
const ascending = (set: ReadonlySet<number>): number[] => [...set].sort((a, b) => a - b);
const isCanonical = (positions: Positions): boolean => Positions.safeParse(positions).success;

describe('positions behave as a set of numbers', () => {
  test('made from numbers in any order, repeated or not', () => {
    fc.assert(
      fc.property(numbers, (n) => {
        expect([...each(positionsOf(n))]).toEqual(ascending(new Set(n)));
      }),
    );
  });

  test('united with any number of others', () => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 4 }), (sets) => {
        const united = union(...sets.map(positionsOf));
        expect([...each(united)]).toEqual(ascending(new Set(sets.flat())));
        expect(isCanonical(united)).toBe(true);
      }),
    );
  });

  test('less what another has', () => {
    fc.assert(
      fc.property(numbers, numbers, (whole, part) => {
        const rest = difference(positionsOf(whole), positionsOf(part));
        expect([...each(rest)]).toEqual(ascending(new Set(whole.filter((n) => !part.includes(n)))));
        expect(isCanonical(rest)).toBe(true);
      }),
    );
  });

  test('counted and asked', () => {
    fc.assert(
      fc.property(numbers, fc.nat({ max: 41 }), (n, asked) => {
        const set = new Set(n);
        expect(count(positionsOf(n))).toBe(set.size);
        expect(has(positionsOf(n), asked)).toBe(set.has(asked));
      }),
    );
  });
});

describe('positions have one form for one set', () => {
  test('so that equal sets give equal ids', () => {
    fc.assert(
      fc.property(numbers, fc.func(fc.integer()), (n, order) => {
        const shuffled = [...n, ...n].sort((a, b) => order(a, b));
        expect(positionsOf(shuffled)).toEqual(positionsOf(n));
        expect(format(union(...shuffled.map((one) => positionsOf([one]))))).toBe(format(positionsOf(n)));
      }),
    );
  });

  test('and different sets different ids', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const same = a.every((n) => b.includes(n)) && b.every((n) => a.includes(n));
        expect(format(positionsOf(a)) === format(positionsOf(b))).toBe(same);
      }),
    );
  });

  test('that leaves what it was made from as it was', () => {
    const a: Positions = [[0, 4]];
    const b: Positions = [[5, 9]];
    expect(union(a, b)).toEqual([[0, 9]]);
    expect([a, b]).toEqual([[[0, 4]], [[5, 9]]]);
  });

  test.each<[Positions, string]>([
    [[], ''],
    [[[3, 3]], '3'],
    [
      [
        [0, 899],
        [905, 905],
      ],
      '0-899,905',
    ],
  ])('%j is written %j', (positions, text) => {
    expect(format(positions)).toBe(text);
  });

  test.each([
    ['a range backwards', [[2, 1]]],
    [
      'a number twice',
      [
        [0, 3],
        [3, 5],
      ],
    ],
    [
      'ranges that touch',
      [
        [0, 3],
        [4, 5],
      ],
    ],
    [
      'ranges out of order',
      [
        [7, 8],
        [0, 3],
      ],
    ],
    ['less than nothing', [[-1, 3]]],
    ['half a number', [[0, 1.5]]],
    ['one number for a range', [[3]]],
  ])('%s is refused: %j', (_, ranges) => {
    expect(Positions.safeParse(ranges).success).toBe(false);
  });
});
