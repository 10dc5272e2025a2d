import { expect } from '@jest/globals';
import { look } from '../faults/look.js';
import { violationsOf } from '../faults/oracle.js';
import { plannedRecord, type Tenant } from '../faults/tenant.js';
import { seen } from './seen.js';
import type { Receipt, System } from './system.js';

/** As the oracle of the faults knows it. */
export type RunningJob = Tenant;

/**
 * A job of `records` with one file each, some of which are gone. Its rate is what keeps it running while a fault is
 * made, on a machine however fast.
 */
export async function runningJob(system: System, records: number, rate: number): Promise<RunningJob> {
  const id = system.newTenant();
  const planned = await system.fill(id, records, 1);
  const options = { batch_size: 4, max_records_per_second: rate };
  const job = await system.request(id, { selection: { all: true }, options });
  const shown = await system.until(id, job, 'its first batches', ({ progress }) => progress.processed > 0);
  expect(shown.progress.processed).toBeLessThan(records);
  return asTenant(id, job, planned);
}

/** A tenant to whom nothing happens but the job. */
export const asTenant = (id: string, job: string, planned: readonly Receipt[]): RunningJob => ({
  id,
  job,
  planned: planned.map(plannedRecord),
  inserted: [],
  reinsertUntil: 0,
  cancelled: 'no',
});

/** Ends the job, whose rate has kept it until now. */
export async function expectCompleted(system: System, job: RunningJob, withinMs = 120_000): Promise<void> {
  // Refused while no queue would take it, and once the job is done.
  const lift = () => system.ask(job.id, job.job, null).then(always(true), always(false));
  const isDone = async () => (await system.job(job.id, job.job))?.status === 'completed';
  await seen('its rate is lifted', async () => (await lift()) || (await isDone()), withinMs);
  await expectDone(system, job, withinMs);
}

/** By the oracle: nothing left, nothing else gone, counts exact, each event once. */
export async function expectDone(system: System, job: RunningJob, withinMs = 120_000): Promise<void> {
  await system.untilEnded(job.id, job.job, withinMs);
  expect(violationsOf(job, await look(system, job))).toEqual([]);
}

const always = (answer: boolean) => () => answer;
