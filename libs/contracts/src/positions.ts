import { z } from 'zod';

/** Sorted, disjoint, inclusive ranges: `[[0, 899], [905, 905]]`. Positions in a batch's key list, sequences, batch numbers. */
export type Positions = [from: number, to: number][];

export const Positions = z
  .array(z.tuple([z.int().nonnegative(), z.int().nonnegative()]))
  .refine(
    (ranges) => ranges.every(([from, to], i) => from <= to && (i === 0 || from > (ranges[i - 1]?.[1] ?? -1) + 1)),
    {
      error: 'ranges must be sorted, disjoint and not adjacent',
    },
  );

/** From numbers in any order, repeated or not. */
export function positionsOf(numbers: Iterable<number>): Positions {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  return union(sorted.map((n) => [n, n]));
}

export function union(...sets: Positions[]): Positions {
  const ranges = sets.flat().sort((a, b) => a[0] - b[0]);
  const merged: Positions = [];
  for (const [from, to] of ranges) {
    const last = merged.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** What is in `whole` and not in `part`. */
export function difference(whole: Positions, part: Positions): Positions {
  const rest: Positions = [];
  for (const [from, to] of whole) {
    let next = from;
    for (const [a, b] of part) {
      if (b < next || a > to) continue;
      if (a > next) rest.push([next, a - 1]);
      next = b + 1;
    }
    if (next <= to) rest.push([next, to]);
  }
  return rest;
}

export function count(positions: Positions): number {
  return positions.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

export function has(positions: Positions, n: number): boolean {
  return positions.some(([from, to]) => from <= n && n <= to);
}

export function* each(positions: Positions): Generator<number> {
  for (const [from, to] of positions) for (let n = from; n <= to; n++) yield n;
}

/** `0-899,905`: a form for ids and log lines. */
export function format(positions: Positions): string {
  return positions.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}
