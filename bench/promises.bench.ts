import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Step, steps } from './promises/steps.js';
import { record } from './results.js';
import { type Fill, makeFill, removeFill } from './throughput/fill.js';
import { runExpunge } from './throughput/run-expunge.js';
import { runStep } from './throughput/run-contestant.js';
import type { Run } from './throughput/run.js';

const RECORDS = Number(process.env['RECORDS'] ?? 50_000);
const TURNS = Number(process.env['TURNS'] ?? 3);
/** Comma-separated in the environment. */
const FILES = (process.env['FILES'] ?? '1').split(',').map(Number);

function run(step: Step, files: number, turn: number, fill: Fill): Promise<Run> {
  const subject = { bucket: 'instant', files, turn } as const;
  if (step === 'expunge') return runExpunge({ ...subject, contestant: 'expunge-1' }, fill, 1);
  return runStep(step, { ...subject, contestant: 'floor' }, fill);
}

describe.each(FILES)('%d files a record', (files) => {
  let fill: Fill;
  beforeAll(async () => {
    fill = await makeFill({ records: RECORDS, files, inSimulator: false });
  }, 600_000);
  afterAll(() => removeFill(fill));

  it(`${steps.join(', ')}, in turns`, async () => {
    for (let turn = 1; turn <= TURNS; turn++) {
      for (const step of steps) {
        const { contestant: _, ...done } = await run(step, files, turn, fill);
        expect(done).toMatchObject({ records: fill.measured.records, objects: fill.measured.keys.length });
        const { records_per_second: rate, seconds } = done;
        record('promises', { step, ...done }, `${files} files, turn ${turn}, ${step}: ${rate}/s, ${seconds} s`);
      }
    }
  }, 3_600_000);
});
