import { beforeAll, describe, expect, it } from '@jest/globals';
import { faultsNamed, type Matrix, runMatrix } from '../faults/diagnosis/matrix.js';
import { keepFigures } from '../support/figures.js';

/** `ONLY_FAULTS='frozen|killed'` tries those alone. */
const chosen = faultsNamed(new RegExp(process.env['ONLY_FAULTS'] ?? ''));
const LANES = 4;

let matrix: Matrix;
beforeAll(async () => {
  matrix = await runMatrix(LANES, chosen, (line) => void process.stdout.write(`${line}\n`));
  const named = [...matrix.outcomes.values()]
    .map(({ namedAfterMs }) => namedAfterMs ?? Infinity)
    .toSorted((a, b) => a - b);
  const [median, last] = [named[Math.floor(named.length / 2)], named.at(-1)];
  const figures = { faults: named.length, seconds: matrix.seconds, named_after_ms: { median, last } };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  keepFigures('diagnosis', figures);
}, 900_000);

describe('within 10 s the verdict is true, and ends with its cause, of a job that stands because', () => {
  it.each(chosen.map(({ name, code }) => ({ name, code })))('$name: $code', ({ name }) => {
    expect(matrix.outcomes.get(name)?.violations).toEqual([]);
  });
});
