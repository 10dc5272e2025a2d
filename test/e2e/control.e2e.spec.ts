import { until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectAllGone, type JobUnderWay, jobUnderWay } from '../support/job-under-way.js';
import { freezeHolder } from '../support/freeze-holder.js';
import { type Receipt, System } from '../support/system.js';

let system: System;
beforeAll(async () => {
  system = await System.start({ deleters: 2 });
}, 120_000);
afterAll(() => system.stop(), 60_000);

const RECORDS = 400;

const reached = ({ tenant, id }: JobUnderWay, status: string, withinMs?: number) =>
  system.until(tenant, id, `status ${status}`, (shown) => shown.status === status, withinMs);

/** What the stores hold is what the counts say: nothing goes that is not counted, nothing is counted that stands. */
async function expectAtRest(job: JobUnderWay, succeeded: number, filesEach = 1): Promise<void> {
  const { tenant, records, other, whole } = job;
  const shown = await system.until(tenant, job.id, 'its objects', (now) => now.progress.objects.pending === 0);
  expect(shown.progress).toMatchObject({ succeeded, failed_count: 0, objects: { purged: succeeded } });
  const left = await system.left(tenant);
  expect([left.ids.length, left.keys.length]).toEqual([records - succeeded, (records - succeeded) * filesEach]);
  expect(await system.left(other)).toEqual(whole);
}

describe('a job under way', () => {
  it('is paused: nothing goes until it is resumed, then all of it', async () => {
    const job = await jobUnderWay(system, RECORDS);
    await system.ask(job.tenant, job.id, 'pause');
    const { progress, last_request } = await reached(job, 'paused');
    expect(last_request).toMatchObject({ type: 'PauseRequested', outcome: 'applied' });
    expect(progress.succeeded).toBeLessThan(RECORDS);
    await expectAtRest(job, progress.succeeded);
    await system.ask(job.tenant, job.id, 'resume');
    await expectAllGone(system, job);
  });

  it('is cancelled: what is gone is gone with its files, and the rest stays', async () => {
    const job = await jobUnderWay(system, RECORDS);
    await system.ask(job.tenant, job.id, 'cancel');
    const { progress, last_request } = await reached(job, 'cancelled');
    expect(last_request).toMatchObject({ type: 'CancelRequested', outcome: 'applied' });
    expect(progress.succeeded).toBeLessThan(RECORDS);
    await expectAtRest(job, progress.succeeded);
    await expect(system.ask(job.tenant, job.id, 'resume')).rejects.toThrow('409');
  });

  it('is slowed down, and let go again', async () => {
    const job = await jobUnderWay(system, RECORDS);
    await system.ask(job.tenant, job.id, 2);
    const slow = await system.until(job.tenant, job.id, 'its rate', (shown) => shown.max_records_per_second === 2);
    expect(slow).toMatchObject({
      status: 'running',
      last_request: { type: 'RateChangeRequested', outcome: 'applied' },
    });
    await system.ask(job.tenant, job.id, null);
    await expectAllGone(system, job);
  });

  it('is paused though every worker was killed with the batch under way', async () => {
    const job = await jobUnderWay(system, RECORDS);
    const deleters = system.services.of('deleter').map(({ process }) => process);
    for (const deleter of deleters) deleter.kill('SIGKILL');
    await system.ask(job.tenant, job.id, 'pause');
    const { progress } = await reached(job, 'paused', 30_000);
    await expectAtRest(job, progress.succeeded);
    await system.ask(job.tenant, job.id, 'resume');
    await expectAllGone(system, job);
  });

  const standing = ({ tenant }: JobUnderWay) => system.receipts.find({ tenantId: tenant }).toArray();
  const newFile = ({ tenant }: JobUnderWay, { _id }: Receipt) => `tenants/${tenant}/${_id.toHexString()}/new`;
  /** As a worker that planned them before does not know them. */
  const gain = async (job: JobUnderWay) => {
    const receipts = await standing(job);
    await system.put(receipts.map((receipt) => newFile(job, receipt)));
    await system.receipts.bulkWrite(
      receipts.map((receipt) => ({
        updateOne: {
          filter: { _id: receipt._id },
          update: { $push: { attachments: { key: newFile(job, receipt) } } },
        },
      })),
    );
  };
  /** As it knows them again. */
  const gainAndLose = async (job: JobUnderWay) => {
    await gain(job);
    const receipts = await standing(job);
    await system.receipts.updateMany({ tenantId: job.tenant }, { $pop: { attachments: 1 } });
    await system.remove(receipts.map((receipt) => newFile(job, receipt)));
  };

  it.each([
    { verb: 'cancel', status: 'cancelled', what: 'left as they are', files: 1, change: () => Promise.resolve() },
    { verb: 'cancel', status: 'cancelled', what: 'given new files', files: 2, change: gain },
    { verb: 'pause', status: 'paused', what: 'given files that are taken away again', files: 1, change: gainAndLose },
  ])('loses no record to a worker frozen in mid-batch, $status meanwhile, its records $what', async (row) => {
    const job = await jobUnderWay(system, 2 * RECORDS);
    const frozen = await freezeHolder(system, job.id);
    await system.ask(job.tenant, job.id, row.verb);
    const { progress } = await reached(job, row.status, 40_000);
    await row.change(job);
    frozen.process.thaw();
    await until('the worker that was frozen is ready', () => isReady(frozen.url), 30_000);
    await expectAtRest(job, progress.succeeded, row.files);
    if (row.verb !== 'pause') return;
    await system.ask(job.tenant, job.id, 'resume');
    await expectAllGone(system, job);
  });
});

const isReady = (url: string) =>
  fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(1000) }).then(
    ({ ok }) => ok,
    () => false,
  );
