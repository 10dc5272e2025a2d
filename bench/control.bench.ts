import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { System } from '../test/support/system.js';
import { figures } from './figures.js';
import { record } from './results.js';

const TRIALS = Number(process.env['TRIALS'] ?? 100);
/** Enough that the job still runs at the last trial. */
const RECORDS = 12_000 * TRIALS;

let system: System;
beforeAll(async () => {
  system = await System.start({ deleters: 2 });
}, 120_000);
afterAll(() => system.stop(), 60_000);

/** From sending the request until the API says that it has taken effect, as a client sees it; milliseconds. */
async function took(tenant: string, id: string, verb: string, status: string): Promise<number> {
  const began = performance.now();
  await system.ask(tenant, id, verb);
  await system.until(tenant, id, status, (job) => job.status === status, 60_000, 5);
  return performance.now() - began;
}

async function processedOf(tenant: string, id: string): Promise<number> {
  const job = await system.until(tenant, id, 'an answer', () => true);
  return job.progress.processed;
}

it(`pause, resume and cancel while jobs run at full speed, ${TRIALS} times`, async () => {
  const tenant = system.newTenant();
  await system.fill(tenant, RECORDS, 0);
  const all = { selection: { all: true }, options: { expected_max_records: RECORDS } };
  const pauses: number[] = [];
  const resumes: number[] = [];
  const id = await system.request(tenant, all);
  for (let trial = 0, processed = 0; trial < TRIALS; trial++) {
    const before = processed;
    const running = await system.until(tenant, id, 'progress', (job) => job.progress.processed > before, 60_000, 5);
    expect(running.status).toBe('running');
    pauses.push(await took(tenant, id, 'pause', 'paused'));
    processed = await processedOf(tenant, id);
    resumes.push(await took(tenant, id, 'resume', 'running'));
  }
  const cancel = await took(tenant, id, 'cancel', 'cancelled');
  const left = await system.receipts.countDocuments({ tenantId: tenant });
  expect(left).toBe(RECORDS - (await processedOf(tenant, id)));
  const result = { trials: TRIALS, pause: figures(pauses), resume: figures(resumes), cancel_ms: Math.round(cancel) };
  record('control', result);
}, 1_800_000);
