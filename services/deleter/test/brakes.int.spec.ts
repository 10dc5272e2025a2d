import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfirmRequested, controlRequestId, type JobOptions } from '@expunge/contracts';
import type { DeletionEvent } from '../src/deletion-job/deletion-job.js';
import { type Deleter, deleteRequested, fill, keyOf, runToEnd, World } from './deleters.js';
import { intercept } from './intercept.js';

let world: World;
beforeAll(async () => {
  world = await World.create();
}, 30_000);
beforeEach(() => world.reset());
afterAll(() => world.destroy());

const options = (change: Partial<JobOptions>) => ({ options: { batchSize: 2, ...change } });
const standing = () => world.db.collection('receipts').countDocuments({ tenantId: 'acme' });

async function eventsOf(deleter: Deleter, job: string): Promise<DeletionEvent[]> {
  const { events } = await world.published();
  const said = events.filter(({ subject }) => subject === job) as DeletionEvent[];
  expect((await deleter.jobs.read(job))?.outbox).toEqual([]);
  return said;
}

function confirmation(job: string): ConfirmRequested {
  return ConfirmRequested.create({
    id: controlRequestId(job, 'confirm', '1'),
    source: 'urn:expunge:api',
    subject: job,
    time: new Date().toISOString(),
    tenantid: 'acme',
    data: { requestedBy: 'ops', reason: null },
  });
}

describe('more records than go unasked', () => {
  it('stay until somebody confirms, and then go', async () => {
    await fill(world.db, 5);
    const deleter = world.deleter('d1', { confirmAbove: 4 });
    await deleter.requests.accept(deleteRequested('job'));
    expect((await world.published()).slices).toEqual([]);
    expect(await deleter.jobs.read('job')).toMatchObject({ state: 'awaiting-confirmation', sequence: 2, outbox: [] });
    // What wakes any other job wakes this one not.
    await deleter.slices.run('job', 1, null);
    await deleter.watchdog.sweep(Date.now());
    expect(await standing()).toBe(5);
    await deleter.control.take(confirmation('job'));
    await runToEnd(deleter, 'job');
    expect(await standing()).toBe(0);
    expect((await deleter.jobs.read('job'))?.state).toBe('finished');
  });

  it('where nobody can count in time, stay, too', async () => {
    await fill(world.db, 3);
    const nobody = () => Promise.resolve(null);
    const deleter = world.deleter('d1', {
      confirmAbove: 4,
      records: (records) => intercept(intercept(records, 'count', nobody), 'countUpTo', nobody),
    });
    await deleter.requests.accept(deleteRequested('job'));
    expect((await deleter.jobs.read('job'))?.state).toBe('awaiting-confirmation');
  });

  it('are counted no further than that', async () => {
    await fill(world.db, 9);
    const deleter = world.deleter('d1', {
      confirmAbove: 4,
      records: (records) => intercept(records, 'count', () => Promise.resolve(null)),
    });
    await deleter.requests.accept(deleteRequested('job'));
    const events = await eventsOf(deleter, 'job');
    expect(events.at(-1)).toMatchObject({
      type: 'ConfirmationAwaited',
      data: { total: 5, totalIsEstimate: true, limit: 4 },
    });
  });
});

describe('with a number of records expected', () => {
  it('nothing goes where more match from the start', async () => {
    await fill(world.db, 5);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job', options({ expectedMaxRecords: 4 })));
    expect(await standing()).toBe(5);
    const events = await eventsOf(deleter, 'job');
    expect(events).toMatchObject([{ type: 'DeletionFailed', data: { error: { code: 'MORE_THAN_PLANNED' } } }]);
  });

  it('no more go than that where others come to match meanwhile', async () => {
    const ids = await fill(world.db, 7);
    const receipts = world.db.collection('receipts');
    await receipts.updateMany({ _id: { $in: ids.slice(0, 2) } }, { $set: { tenantId: 'other' } });
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job', options({ expectedMaxRecords: 5 })));
    await receipts.updateMany({ _id: { $in: ids.slice(0, 2) } }, { $set: { tenantId: 'acme' } });
    await runToEnd(deleter, 'job');
    expect(await standing()).toBe(2);
    const last = (await eventsOf(deleter, 'job')).at(-1);
    expect(last).toMatchObject({
      type: 'DeletionFailed',
      data: { error: { code: 'MORE_THAN_PLANNED' }, totals: { succeeded: 5 } },
    });
  });

  it('all go where no more match', async () => {
    await fill(world.db, 5);
    const deleter = world.deleter('d1', { confirmAbove: 2 });
    await deleter.requests.accept(deleteRequested('job', options({ expectedMaxRecords: 5 })));
    await runToEnd(deleter, 'job');
    expect(await standing()).toBe(0);
    expect((await deleter.jobs.read('job'))?.state).toBe('finished');
  });
});

const dryRun = 'a8f5f167-0e5a-4d3b-9c1e-2b7d6a1f0c33';

describe('a dry run', () => {
  it('tells how many would go and shows some of them, with what would stay, and deletes nothing', async () => {
    await fill(world.db, 120);
    await world.db.collection('receipts').insertOne({ tenantId: 'acme', attachments: [{ key: 'elsewhere/1' }] });
    const deleter = world.deleter('d1', { confirmAbove: 4 });
    await deleter.requests.accept(deleteRequested(dryRun, options({ dryRun: true })));
    const job = await deleter.jobs.read(dryRun);
    expect(job).toMatchObject({ state: 'dry-run-finished', sequence: 2 });
    const { events, slices } = await world.published();
    expect(slices).toEqual([]);
    const finished = events.at(-1);
    expect(finished).toMatchObject({ type: 'DryRunFinished', data: { total: 121, totalIsEstimate: false } });
    const { sample } = (finished as Extract<DeletionEvent, { type: 'DryRunFinished' }>).data;
    expect(sample).toHaveLength(100);
    expect(sample[0]?.objectKeys).toEqual([keyOf(0)]);
    await deleter.slices.run(dryRun, 1, null);
    await deleter.watchdog.sweep(Date.now());
    expect(await standing()).toBe(121);
  });

  it('says of a record that would stay why', async () => {
    await world.db.collection('receipts').insertOne({ tenantId: 'acme', attachments: [{ key: 'elsewhere/1' }] });
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested(dryRun, options({ dryRun: true })));
    const last = (await eventsOf(deleter, dryRun)).at(-1);
    expect(last).toMatchObject({
      data: { sample: [{ objectKeys: ['elsewhere/1'], failure: { code: 'KEY_OUTSIDE_PREFIX' } }] },
    });
  });

  it('estimates where it cannot count in time', async () => {
    await fill(world.db, 3000);
    await fill(world.db, 1000, 'other');
    const deleter = world.deleter('d1', {
      records: (records) => intercept(records, 'count', () => Promise.resolve(null)),
    });
    await deleter.requests.accept(deleteRequested(dryRun, options({ dryRun: true })));
    const last = (await eventsOf(deleter, dryRun)).at(-1) as Extract<DeletionEvent, { type: 'DryRunFinished' }>;
    expect(last.data.totalIsEstimate).toBe(true);
    // A thousand records drawn: six standard deviations.
    expect(Math.abs(last.data.total - 3000)).toBeLessThan(330);
  });
});

describe('a deletion based on a dry run', () => {
  const begun = async (change: Parameters<typeof deleteRequested>[1] = {}) => {
    await fill(world.db, 3);
    const deleter = world.deleter('d1', { confirmAbove: 1 });
    await deleter.requests.accept(deleteRequested(dryRun, options({ dryRun: true })));
    await fill(world.db, 2);
    await deleter.requests.accept(deleteRequested('job', { ...options({ basedOn: dryRun }), ...change }));
    return deleter;
  };

  it('goes unasked, and touches nothing that was created after it', async () => {
    const deleter = await begun();
    await runToEnd(deleter, 'job');
    expect((await deleter.jobs.read('job'))?.totals.succeeded).toBe(3);
    expect(await standing()).toBe(2);
  });

  it.each([
    ['with another selection', { selection: { filter: { company: 'acme' } } }],
    ['on what is no dry run', options({ basedOn: 'b8f5f167-0e5a-4d3b-9c1e-2b7d6a1f0c33' })],
  ])('%s fails, and deletes nothing', async (_, change) => {
    const deleter = await begun(change);
    expect((await eventsOf(deleter, 'job')).at(-1)).toMatchObject({
      type: 'DeletionFailed',
      data: { error: { code: 'BASED_ON_MISMATCH' } },
    });
    expect(await standing()).toBe(5);
  });

  it('of another tenant fails, and deletes nothing', async () => {
    const deleter = await begun();
    const theirs = { ...deleteRequested('job-2', options({ basedOn: dryRun })), tenantid: 'other' };
    await deleter.requests.accept(theirs);
    expect((await eventsOf(deleter, 'job-2')).at(-1)).toMatchObject({ data: { error: { code: 'BASED_ON_MISMATCH' } } });
  });
});
