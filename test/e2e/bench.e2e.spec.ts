import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { npmRun } from '../support/command.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'expunge-bench-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('npm run bench pits Expunge against the floor and the way it was done before, and writes ratios, table and plots', async () => {
  const short = {
    RECORDS: '1200',
    TURNS: '1',
    BUCKETS: 'instant',
    FILES: '1',
    CONTESTANTS: 'floor,original,expunge-2',
  };
  const RESULTS = join(folder, 'results.json');
  const output = await npmRun('bench', ['--testPathPatterns', 'bench/throughput.bench'], { ...short, RESULTS });
  const results = JSON.parse(readFileSync(RESULTS, 'utf8')) as Record<string, Record<string, unknown>>;
  const spread = { min: expect.any(Number) as unknown, median: expect.any(Number), max: expect.any(Number) };
  expect(results).toMatchObject({
    machine: { cpu: expect.any(String) as unknown, cores: expect.any(Number) },
    versions: {
      rabbitmq: expect.any(String) as unknown,
      mongodb_engine: expect.any(String),
      bullmq: expect.any(String),
    },
    runs: ['floor', 'original', 'expunge-2'].map((contestant) => ({ contestant, records: 1200, objects: 1200 })),
    ratios: { to_floor_with_2_deleters: { files_1: spread }, many_to_one: null },
  });
  expect(results['runs']?.[2]).toMatchObject({
    first_batch_ms: expect.any(Number) as unknown,
    messages: { per_record: expect.any(Number) as unknown },
    fold_ms: { p50: expect.any(Number) as unknown, p99: expect.any(Number) },
    written_bytes: { per_record: { mongodb: expect.any(Number) as unknown, rabbitmq: expect.any(Number) } },
  });
  expect(output).toMatch(/^\| answers at once \| 1 +\| the original's way /m);
  for (const plot of ['throughput', 'to-floor', 'growth', 'event-to-projection', 'promises']) {
    expect(existsSync(join(folder, `${plot}.svg`))).toBe(true);
  }
}, 180_000);
