import { expect, it } from '@jest/globals';
import { npmRun } from '../support/command.js';

const lastLine = (output: string) =>
  JSON.parse(output.split('\n').findLast((line) => line.startsWith('{')) ?? '') as unknown;

it('npm run chaos ends clean, and its last line says so', async () => {
  const output = await npmRun('chaos', ['--minutes', '2', '--seed', '7']);
  expect(lastLine(output)).toEqual({
    seed: 7,
    minutes: 2,
    jobs: 4,
    faults: expect.any(Number) as unknown,
    violations: 0,
  });
}, 900_000);

it('npm run bench measures how soon requests take effect', async () => {
  const output = await npmRun('bench', [], { TRIALS: '10' });
  const times = { p50_ms: expect.any(Number) as unknown, p99_ms: expect.any(Number), max_ms: expect.any(Number) };
  expect(lastLine(output)).toEqual({
    trials: 10,
    pause: times,
    resume: times,
    cancel_ms: expect.any(Number) as unknown,
  });
}, 900_000);
