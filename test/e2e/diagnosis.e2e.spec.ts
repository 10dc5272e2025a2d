import { beforeAll, describe, expect, it } from '@jest/globals';
import { faultsNamed, type Matrix, runMatrix } from '../faults/diagnosis/matrix.js';

/** `ONLY_FAULTS='frozen|killed'` tries those alone. */
const chosen = faultsNamed(new RegExp(process.env['ONLY_FAULTS'] ?? ''));
const LANES = 4;

let matrix: Matrix;
beforeAll(async () => {
  matrix = await runMatrix(LANES, chosen, (line) => void process.stdout.write(`${line}\n`));
  process.stdout.write(`${matrix.outcomes.size} faults in ${matrix.seconds} s\n`);
}, 900_000);

describe('within 10 s the verdict is true, and ends with its cause, of a job that stands because', () => {
  it.each(chosen.map(({ name, code }) => ({ name, code })))('$name: $code', ({ name }) => {
    expect(matrix.outcomes.get(name)?.violations).toEqual([]);
  });
});
