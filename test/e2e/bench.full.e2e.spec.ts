import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { steps } from '../../bench/promises/steps.js';
import { npmRun } from '../support/command.js';

const number = expect.any(Number) as unknown;
const figures = { p50_ms: number, p99_ms: number, max_ms: number };
const spread = { min: number, median: number, max: number };

let folder: string;
let lines: string[];
let measured: Record<string, unknown>[];
let results: { runs: { name: string; [figure: string]: unknown }[]; ratios: Record<string, unknown> };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'expunge-bench-'));
  const RESULTS = join(folder, 'results.json');
  const short = {
    TRIALS: '3',
    EVENTS: '20000',
    PAIRS: '1',
    SECONDS: '5',
    RECORDS: '600',
    TURNS: '1',
    JOBS: '6',
    MOST: '10000',
    CONTESTANTS: 'floor,original,expunge-1',
  };
  const output = await npmRun('bench', [], { ...short, RESULTS });
  lines = output.split('\n');
  measured = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
  results = JSON.parse(readFileSync(RESULTS, 'utf8')) as typeof results;
}, 2_400_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('npm run bench measures how soon requests take effect, also on a job whose worker is lost, a rebuild, what traces cost, and the API', () => {
  expect(measured).toContainEqual({ trials: 3, pause: figures, resume: figures, cancel_ms: number });
  for (const worker of ['dead', 'frozen']) {
    expect(measured).toContainEqual({ trials: 3, worker, pause: figures, cancel: figures });
  }
  const rate = { seconds: number, events_per_second: number };
  const memory = { resident_mb: number, grown_by_mb: number };
  const compared = { off: number, on: number, ratio: { median: number, least: number, most: number } };
  const traces = { records_per_second: compared, cpu_seconds: compared, exported_kb: number };
  expect(measured).toContainEqual({ pairs: 1, records: number, ...traces });
  expect(measured).toContainEqual({ requests: 1000, all: figures, get: figures, list: figures, post: figures });
  expect(measured).toContainEqual({ streams: 50, events: number, told_after: figures });
  expect(measured).toContainEqual({ events: 20_000, jobs: number, different: 0, repaired: 0, ...rate, ...memory });
});

it('npm run bench compares many jobs with one, and sees what grows with the job and with old jobs', () => {
  const times = { one_seconds: number, many_seconds: number, ratio: number };
  const evenness = { halfway: spread, completed_after: spread };
  expect(measured).toContainEqual({ jobs: 6, records: 100, pair: 1, ...times, ...evenness });
  const cost = { seconds: number, cpu_seconds: number, ms_per_record: number, cpu_ms_per_record: number };
  for (const records of [10, 1000]) expect(measured).toContainEqual({ records, ...cost });
  for (const jobs of [10, 1000]) expect(measured).toContainEqual({ old_jobs: jobs, records: 1000, ...cost });
  expect(measured).toContainEqual({ records: 10_000, seconds: number, resident_mb: expect.any(Object) });
  expect(measured).toContainEqual({
    records: 600,
    seconds: number,
    get: figures,
    fold_ms: { p50: number, p99: number },
  });
});

it('npm run bench tells ratios to the floor and to the way it was done before, for each number of files', () => {
  const contestants = results.runs.filter(({ name }) => name === 'throughput');
  // Seven buckets and numbers of files, each once by floor, original and Expunge with one deleter.
  expect(contestants).toHaveLength(21);
  const each = { files_0: spread, files_1: spread, files_3: spread };
  expect(results.ratios).toMatchObject({ to_floor: each, to_original: each, many_to_one: spread });
  expect(lines.filter((line) => line.startsWith('| answers at once'))).toHaveLength(9);
});

it('npm run bench measures each step from the floor to Expunge, and tells what it takes more than the one before', () => {
  const stepped = results.runs.filter(({ name }) => name === 'promises');
  const deleted = { files: 1, turn: 1, records: 600, objects: 600, records_per_second: number };
  expect(stepped).toMatchObject(steps.map((step) => ({ step, ...deleted, cpu_seconds: { mongodb: number } })));
  // Number of files, step, runs; and only the first has none before it.
  const rows = lines.filter((line) => /^\| 1 +\| [a-z]+ +\| 1 +\| /.test(line)).map((line) => line.split(/ *\| */));
  expect(rows.map((cells) => cells[2])).toEqual(steps);
  expect(rows.map((cells) => /^[+-]\d+\.\d$/.test(cells[8] ?? ''))).toEqual(steps.map((step) => step !== 'floor'));
});
