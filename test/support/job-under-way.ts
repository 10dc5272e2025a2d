import { expect } from '@jest/globals';
import { idsOf, keysOf, type System } from './system.js';

export interface JobUnderWay {
  readonly tenant: string;
  readonly id: string;
  readonly records: number;
  /** Who must stay whole, and what belongs to them. */
  readonly other: string;
  readonly whole: { readonly ids: string[]; readonly keys: string[] };
}

/**
 * A job of `records` with one file each that has begun and has work before it. How much nobody can promise: the first
 * progress is seen late on a busy machine. So batches are small, and the job long.
 */
export async function jobUnderWay(system: System, records: number, batchSize = 2): Promise<JobUnderWay> {
  const [tenant, other] = [system.newTenant(), system.newTenant()];
  await system.fill(tenant, records, 1);
  const theirs = await system.fill(other, 5, 1);
  const id = await system.request(tenant, { selection: { all: true }, options: { batch_size: batchSize } });
  const job = await system.until(tenant, id, 'its first batches', (shown) => shown.progress.processed > 0);
  expect(job.progress.processed).toBeLessThan(records);
  return { tenant, id, records, other, whole: { ids: idsOf(theirs), keys: keysOf(theirs) } };
}

/** The oracle: exact counts, and stores that hold nothing of the tenant and everything of the other. */
export async function expectAllGone(system: System, job: JobUnderWay, withinMs = 120_000): Promise<void> {
  const { tenant, id, records, other, whole } = job;
  const shown = await system.untilEnded(tenant, id, withinMs);
  expect(shown).toMatchObject({
    status: 'completed',
    progress: {
      processed: records,
      succeeded: records,
      failed_count: 0,
      total: records,
      objects: { purged: records, retained: 0, failed: 0, pending: 0 },
    },
    failures: [],
  });
  expect(await system.left(tenant)).toEqual({ ids: [], keys: [] });
  expect(await system.left(other)).toEqual(whole);
}
