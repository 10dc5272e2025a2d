import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ended, System } from '../test/support/system.js';
import { spreadOf } from './report/ratios.js';
import { record } from './results.js';
import { fillTenant, type Tenant } from './throughput/fill.js';
import { MemoryBucket } from './throughput/memory-bucket.js';
import { deleteAll } from './throughput/run-expunge.js';
import { round } from './throughput/run.js';

const JOBS = Number(process.env['JOBS'] ?? 100);
const RECORDS = Number(process.env['RECORDS'] ?? 100_000);
const PAIRS = Number(process.env['PAIRS'] ?? 3);
const LOOK_EVERY_MS = 20;

let bucket: MemoryBucket;
let system: System;
beforeAll(async () => {
  bucket = await MemoryBucket.start(0);
  system = await System.start({ deleters: 2, servers: { env: bucket.env } });
  await timeOfOne(await filled(1000));
}, 120_000);
afterAll(async () => {
  await system.stop();
  await bucket.stop();
}, 60_000);

/** With a file each. */
async function filled(records: number): Promise<Tenant> {
  const tenant = await fillTenant(system.stack.mongodb.recordsUrl, records, 1);
  await bucket.fill(tenant.keys);
  return tenant;
}

async function timeOfOne({ name, records }: Tenant): Promise<number> {
  return (await deleteAll(system, name, records)).seconds;
}

interface Projection {
  _id: string;
  status: string;
  totals: { succeeded: number } | null;
  completed: { at: string } | null;
}

/** All requested at once; with how far each was when half of all records had gone, and when each was completed. */
async function timeOfMany(tenants: readonly Tenant[]) {
  const total = tenants.reduce((sum, { records }) => sum + records, 0);
  const [startedAt, began] = [Date.now(), performance.now()];
  const ids = await Promise.all(tenants.map(({ name }) => system.request(name, { selection: { all: true } })));
  const jobs = system.database('monitor').collection<Projection>('jobs');
  const look = () => jobs.find({ _id: { $in: ids } }, { projection: { status: 1, totals: 1, completed: 1 } }).toArray();
  let halfway: number[] | null = null;
  for (;;) {
    const found = await look();
    const gone = found.map(({ totals }) => totals?.succeeded ?? 0);
    if (gone.reduce((sum, one) => sum + one, 0) >= total / 2) halfway ??= gone;
    if (found.filter(({ status }) => ended.includes(status)).length === ids.length) {
      expect(new Set(found.map(({ status }) => status))).toEqual(new Set(['completed']));
      const seconds = (performance.now() - began) / 1000;
      const completedAfter = found.map(({ completed }) => (Date.parse(completed?.at ?? '') - startedAt) / 1000);
      return { seconds, halfway: spreadOf(halfway ?? gone), completed_after: spreadOf(completedAfter) };
    }
    await delay(LOOK_EVERY_MS);
  }
}

it(`${JOBS} jobs at once against one with as many records, in ${PAIRS} pairs`, async () => {
  const each = Math.floor(RECORDS / JOBS);
  for (let pair = 1; pair <= PAIRS; pair++) {
    const isOneFirst = pair % 2 === 1;
    const one = isOneFirst ? await timeOfOne(await filled(each * JOBS)) : null;
    const tenants: Tenant[] = [];
    for (let n = 0; n < JOBS; n++) tenants.push(await filled(each));
    const { seconds, ...evenness } = await timeOfMany(tenants);
    const ofOne = one ?? (await timeOfOne(await filled(each * JOBS)));
    expect([await system.receipts.countDocuments(), await bucket.count('')]).toEqual([0, 0]);
    const times = { one_seconds: round(ofOne, 3), many_seconds: round(seconds, 3), ratio: round(seconds / ofOne, 3) };
    record('many-to-one', { jobs: JOBS, records: each, pair, ...times, ...evenness });
  }
}, 1_800_000);
