import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ResidentMemory } from '../test/support/resident-memory.js';
import { System } from '../test/support/system.js';
import { writeOldJobs } from './old-jobs.js';
import { median } from './report/ratios.js';
import { record } from './results.js';
import { fillTenant } from './throughput/fill.js';
import { usedBetween, usedBy } from './throughput/processes.js';
import { deleteAll, servicePids } from './throughput/run-expunge.js';
import { round } from './throughput/run.js';

/** The shorter, the fewer of the large ones. */
const MOST = Number(process.env['MOST'] ?? 1_000_000);
const upTo = (sizes: readonly number[]) => sizes.filter((size) => size <= MOST);
const TRIALS = 5;
const JOB_BESIDE_OTHERS = 1000;

let system: System;
beforeAll(async () => {
  system = await System.start();
  await costOf(1000);
}, 120_000);
afterAll(() => system.stop(), 60_000);

interface Cost {
  seconds: number;
  cpuSeconds: number;
}

/** What a job without files costs all four services. */
async function costOf(records: number): Promise<Cost> {
  const { name } = await fillTenant(system.stack.mongodb.recordsUrl, records, 0);
  const pids = servicePids(system);
  const before = usedBy(pids);
  const { seconds } = await deleteAll(system, name, records);
  const used = Object.values(usedBetween(before, usedBy(pids)));
  expect(await system.receipts.countDocuments({ tenantId: name })).toBe(0);
  return { seconds, cpuSeconds: used.reduce((sum, one) => sum + one.cpuSeconds, 0) };
}

/** Medians; of one large job a single one. */
async function costsOf(records: number): Promise<object> {
  const costs: Cost[] = [];
  for (let n = 0; n < (records > 10_000 ? 1 : TRIALS); n++) costs.push(await costOf(records));
  const of = (value: (cost: Cost) => number) => median(costs.map(value));
  const [seconds, cpu] = [of((cost) => cost.seconds), of((cost) => cost.cpuSeconds)];
  return {
    seconds: round(seconds, 3),
    cpu_seconds: round(cpu, 3),
    ms_per_record: round((1000 * seconds) / records, 4),
    cpu_ms_per_record: round((1000 * cpu) / records, 4),
  };
}

it('what a record costs in a small job and in a large one', async () => {
  for (const records of upTo([10, 1000, 100_000]))
    record('growth-of-the-job', { records, ...(await costsOf(records)) });
}, 900_000);

it('what a record costs beside few old jobs and beside many', async () => {
  let there = 0;
  for (const jobs of upTo([10, 1000, 100_000])) {
    await writeOldJobs(system.database('monitor'), { from: there, to: jobs });
    there = jobs;
    const cost = await costsOf(JOB_BESIDE_OTHERS);
    record('growth-of-the-projection', { old_jobs: jobs, records: JOB_BESIDE_OTHERS, ...cost });
  }
}, 900_000);

it('how much memory the services need for a small job and for a large one', async () => {
  for (const records of upTo([10_000, 1_000_000])) {
    const { name } = await fillTenant(system.stack.mongodb.recordsUrl, records, 0);
    const memory = new ResidentMemory(system.services.all);
    const { seconds } = await deleteAll(system, name, records);
    record('memory', { records, seconds: round(seconds, 1), resident_mb: memory.stop() });
  }
}, 3_600_000);
