import { beforeAll, describe, expect, it } from '@jest/globals';
import { keepFigures } from '../../support/figures.js';
import type { Fault } from './fault.js';
import { type Matrix, runMatrix } from './matrix.js';

const LANES = 4;

/** A test for each fault, all tried before the first of them. */
export function expectNamed(faults: readonly Fault[], figuresName: string): void {
  let matrix: Matrix;
  beforeAll(async () => {
    matrix = await runMatrix(LANES, faults, (line) => void process.stdout.write(`${line}\n`));
    const named = [...matrix.outcomes.values()]
      .map(({ namedAfterMs }) => namedAfterMs ?? Infinity)
      .toSorted((a, b) => a - b);
    const [median, last] = [named[Math.floor(named.length / 2)], named.at(-1)];
    const figures = { faults: named.length, seconds: matrix.seconds, named_after_ms: { median, last } };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    keepFigures(figuresName, figures);
  }, 900_000);

  describe('within 10 s the verdict is true, and ends with its cause, of a job that stands because', () => {
    it.each(faults.map(({ name, code }) => ({ name, code })))('$name: $code', ({ name }) => {
      expect(matrix.outcomes.get(name)?.violations).toEqual([]);
    });
  });
}
