import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { System } from '../test/support/system.js';
import { figures } from './figures.js';
import { record } from './results.js';
import { fillTenant } from './throughput/fill.js';
import { MemoryBucket } from './throughput/memory-bucket.js';
import { foldMs, metricsOf, untilCompleted } from './throughput/run-expunge.js';
import { round } from './throughput/run.js';

const RECORDS = Number(process.env['RECORDS'] ?? 100_000);
const PER_SECOND = 10;

let bucket: MemoryBucket;
let system: System;
beforeAll(async () => {
  bucket = await MemoryBucket.start(0);
  system = await System.start({ servers: { env: bucket.env } });
  await askDuringJobOf(1000);
}, 120_000);
afterAll(async () => {
  await system.stop();
  await bucket.stop();
}, 60_000);

/** How long each GET of the job took; milliseconds. */
async function askDuringJobOf(records: number): Promise<{ took: number[]; seconds: number }> {
  const { name, keys } = await fillTenant(system.stack.mongodb.recordsUrl, records, 1);
  await bucket.fill(keys);
  const began = performance.now();
  const id = await system.request(name, { selection: { all: true }, options: { expected_max_records: records } });
  const took: number[] = [];
  const ask = async () => {
    const askedAt = performance.now();
    const { status } = await system.get(name, `/api/jobs/${id}`);
    took.push(performance.now() - askedAt);
    expect(status).toBe(200);
  };
  const over = new AbortController();
  const completed = untilCompleted(system, [id]).finally(() => over.abort());
  const asking: Promise<void>[] = [];
  while (!over.signal.aborted) {
    asking.push(ask());
    await delay(1000 / PER_SECOND);
  }
  await Promise.all([completed, ...asking]);
  expect([await system.receipts.countDocuments({ tenantId: name }), await bucket.count('')]).toEqual([0, 0]);
  return { took, seconds: (performance.now() - began) / 1000 };
}

it('the API while a job runs at full speed, and from an event to its fold', async () => {
  const before = await metricsOf(system);
  const { took, seconds } = await askDuringJobOf(RECORDS);
  const fold = foldMs(before, await metricsOf(system));
  record('during-a-job', { records: RECORDS, seconds: round(seconds, 2), get: figures(took), fold_ms: fold });
}, 900_000);
