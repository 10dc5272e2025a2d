import { expect, it } from '@jest/globals';
import { npmRun } from '../support/command.js';

const figures = { p50_ms: expect.any(Number) as unknown, p99_ms: expect.any(Number), max_ms: expect.any(Number) };

it('npm run bench measures how soon requests take effect, also on a job whose worker is lost, a rebuild, what traces cost, and the API', async () => {
  const output = await npmRun('bench', [], { TRIALS: '3', EVENTS: '20000', PAIRS: '1', SECONDS: '5' });
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  const measured = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(measured).toHaveLength(7);
  expect(measured).toContainEqual({ trials: 3, pause: figures, resume: figures, cancel_ms: expect.any(Number) });
  for (const worker of ['dead', 'frozen']) {
    expect(measured).toContainEqual({ trials: 3, worker, pause: figures, cancel: figures });
  }
  const rate = { seconds: expect.any(Number) as unknown, events_per_second: expect.any(Number) };
  const memory = { resident_mb: expect.any(Number) as unknown, grown_by_mb: expect.any(Number) };
  const jobs = expect.any(Number) as unknown;
  const number = expect.any(Number) as unknown;
  const compared = { off: number, on: number, ratio: { median: number, least: number, most: number } };
  const traces = { records_per_second: compared, cpu_seconds: compared, exported_kb: number };
  expect(measured).toContainEqual({ pairs: 1, records: number, ...traces });
  expect(measured).toContainEqual({ requests: 1000, all: figures, get: figures, list: figures, post: figures });
  expect(measured).toContainEqual({ streams: 50, events: number, told_after: figures });
  expect(measured).toContainEqual({ events: 20_000, jobs, different: 0, repaired: 0, ...rate, ...memory });
}, 1_200_000);
