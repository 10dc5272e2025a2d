import { setTimeout as delayed } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type BatchDeleted, PauseRequested } from '@expunge/contracts';
import { ConflictError } from '@expunge/messaging';
import { hasTurns } from '../src/deletion-job/deletion-job.js';
import { SharedLimitRepository } from '../src/jobs/shared-limit.repository.js';
import { type Deleter, deleteRequested, fill, World } from './deleters.js';
import { intercept, withClockAhead } from './intercept.js';
import { Killed, killedAt } from './killed.js';

let world: World;
beforeAll(async () => {
  world = await World.create();
}, 30_000);
afterAll(() => world.destroy());
beforeEach(() => world.reset());

interface Options {
  batchSize: number;
  maxRecordsPerSecond?: number;
}

/** A job of the same name as its tenant, who has so many records. */
async function requested(deleter: Deleter, name: string, records: number, options: Options): Promise<void> {
  await fill(world.db, records, name);
  await deleter.requests.accept({ ...deleteRequested(name, { options }), tenantid: name });
}

/** Gives the job's slices to the deleter, without their waits in the broker, until the job is at rest. */
async function drive(deleter: Deleter, job: string, everyMs = 20): Promise<void> {
  const end = Date.now() + 50_000;
  while (Date.now() < end) {
    const found = await deleter.jobs.read(job);
    if (found && !hasTurns(found) && found.outbox.length === 0) return;
    const { turn } = found!.lanes[0];
    await deleter.slices.run(job, turn, found!.writtenAt.toISOString()).catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error;
    });
    await delayed(everyMs);
  }
  throw new Error(`job ${job} did not end`);
}

/** All batches, as they were told, in the order of when each was planned or told. */
async function batchesBy(order: (batch: BatchDeleted) => string): Promise<BatchDeleted[]> {
  const stored = await world.own
    .collection<{ message: BatchDeleted }>('events')
    .find({ 'message.type': 'BatchDeleted' })
    .toArray();
  return stored.map(({ message }) => message).sort((a, b) => order(a).localeCompare(order(b)));
}
const plannedAt = ({ data }: BatchDeleted) => data.startedAt;
const toldAt = ({ time }: BatchDeleted) => time;

/** From the first moment on, at any moment: no more than the rate, and half a second's worth. */
async function expectNeverMore(rate: number, since: number, slack = 0): Promise<void> {
  for (const at of [plannedAt, toldAt]) {
    let gone = 0;
    for (const batch of await batchesBy(at)) {
      gone += batch.data.count;
      const allowed = (rate * (Date.parse(at(batch)) - since)) / 1000 + rate / 2 + slack;
      expect(gone).toBeLessThanOrEqual(allowed);
    }
  }
}
const total = async () => (await batchesBy(toldAt)).reduce((sum, { data }) => sum + data.count, 0);
const limits = {
  collection: () => world.own.collection<{ _id: string; at: Date }>('limits'),
  usedUp: (ms: number) =>
    limits.collection().updateOne({ _id: 'records' }, [{ $set: { at: { $add: ['$$NOW', ms] } } }], { upsert: true }),
  freeAt: async () => (await limits.collection().findOne({ _id: 'records' }))!.at.getTime(),
};

describe('the limit of all jobs', () => {
  it('is kept by several jobs of two deleters together, one of which is killed and started again', async () => {
    const maxRecordsPerSecond = 40;
    const { wrappers, isDead } = killedAt(60, 'after');
    const one = world.deleter('d1', { maxRecordsPerSecond });
    const two = world.deleter('d2', { maxRecordsPerSecond, ...wrappers });
    const heir = world.deleter('d2', { maxRecordsPerSecond, records: withClockAhead(10_000) });
    const since = Date.now();
    for (const name of ['a', 'b', 'c', 'd']) await requested(one, name, 30, { batchSize: 500 });
    const untilKilled = (job: string) =>
      drive(two, job).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
        return drive(heir, job);
      });
    await Promise.all([drive(one, 'a'), drive(one, 'b'), untilKilled('c'), untilKilled('d')]);
    expect(isDead()).toBe(true);
    expect(await total()).toBe(120);
    await expectNeverMore(maxRecordsPerSecond, since);
  }, 60_000);

  it('leaves a job alone that has a smaller rate of its own', async () => {
    const deleter = world.deleter('d1', { maxRecordsPerSecond: 1000 });
    const since = Date.now();
    await requested(deleter, 'a', 30, { batchSize: 500, maxRecordsPerSecond: 20 });
    await drive(deleter, 'a');
    expect((await batchesBy(toldAt)).map(({ data }) => data.count)).toEqual([10, 10, 10]);
    // A timer may be early by a part of a millisecond.
    await expectNeverMore(20, since, 1);
  });

  it('gives each of many jobs its share, however often one of them asks', async () => {
    const others = Array.from({ length: 8 }, (_, i) => `other-${i}`);
    const deleters = ['d1', 'd2'].map((name) => world.deleter(name, { maxRecordsPerSecond: 4 }));
    for (const name of ['eager', ...others]) {
      await requested(deleters[0]!, name, name === 'eager' ? 12 : 4, { batchSize: 500 });
    }
    // It is there whenever a place opens, and would get it each time that it does not sleep until its last.
    await Promise.all(['eager', ...others].map((name, i) => drive(deleters[i % 2]!, name, i === 0 ? 1 : 200)));
    const first = (await batchesBy(plannedAt)).slice(0, 13);
    expect(first.filter(({ subject }) => subject === 'eager').length).toBeLessThanOrEqual(3);
  }, 60_000);

  it('is not asked for where there is none', async () => {
    const deleter = world.deleter('d1');
    await requested(deleter, 'a', 3, { batchSize: 2 });
    await drive(deleter, 'a');
    expect(await world.own.listCollections({ name: 'limits' }).toArray()).toEqual([]);
  });
});

describe('while the limit of all jobs is used up', () => {
  it('a job comes back by its message, holds nobody up, and a pause takes effect', async () => {
    const deleter = world.deleter('d1', { maxRecordsPerSecond: 10 });
    await requested(deleter, 'a', 3, { batchSize: 2 });
    await world.published();
    await limits.usedUp(3_600_000);
    await deleter.slices.run('a', 1, null);
    const { later } = await world.published();
    expect(later).toMatchObject([{ type: 'SliceDue', subject: 'a', data: { turn: 1 } }]);
    expect((await deleter.jobs.read('a'))?.lanes[0]).toMatchObject({ holder: null, attempt: 0, turn: 1, plan: null });
    const asked = {
      id: 'a:pause',
      source: 'urn:expunge:api',
      subject: 'a',
      tenantid: 'a',
      time: new Date().toISOString(),
    };
    await deleter.control.take(PauseRequested.create({ ...asked, data: { requestedBy: 'ann', reason: null } }));
    expect(await deleter.jobs.read('a')).toMatchObject({ state: 'paused', totals: { succeeded: 0 } });
  });

  it('the batch of a worker that died waits like any other', async () => {
    const dying = world.deleter('d1', {
      maxRecordsPerSecond: 10,
      records: (records) => intercept(records, 'delete', () => Promise.reject(new Error('it ends here'))),
    });
    await requested(dying, 'a', 3, { batchSize: 2 });
    await dying.slices.run('a', 1, null);
    const heir = world.deleter('d2', { maxRecordsPerSecond: 10, records: withClockAhead(10_000) });
    await heir.skipWait('a');
    const { lanes } = (await heir.jobs.read('a'))!;
    expect(lanes[0].plan?.records).toHaveLength(2);
    await limits.usedUp(3_600_000);
    await heir.slices.run('a', 1, null);
    expect((await heir.jobs.read('a'))?.lanes[0].plan).toEqual(lanes[0].plan);
    expect(await world.db.collection('receipts').countDocuments({ tenantId: 'a' })).toBe(3);
    await limits.usedUp(900);
    const freeAt = await limits.freeAt();
    await drive(heir, 'a');
    expect(await total()).toBe(3);
    // Two of the batch taken over, one of the next.
    expect(await limits.freeAt()).toBeGreaterThanOrEqual(freeAt + 300);
  });
});

describe('places', () => {
  it('follow each other without a gap, whoever takes them at once', async () => {
    const takers = Array.from({ length: 4 }, () => new SharedLimitRepository(world.own));
    const taken = await Promise.all(Array.from({ length: 20 }, (_, i) => takers[i % 4]!.reserve(40, null)));
    const begins = taken.flatMap((place) => (place.begins ? [place.begins.getTime()] : [])).sort((a, b) => a - b);
    expect(begins.length).toBeGreaterThan(1);
    for (const [i, time] of begins.slice(1).entries()) expect(time - begins[i]!).toBeGreaterThanOrEqual(40);
    for (const { begins: time, now } of taken)
      expect(time === null || time.getTime() - now.getTime() <= 1000).toBe(true);
  });

  it('are given no further ahead than a second, and none is taken in vain', async () => {
    const limit = new SharedLimitRepository(world.own);
    expect((await limit.places())?.freeAt ?? null).toBeNull();
    await limits.usedUp(60_000);
    const before = await limit.places();
    expect(await limit.reserve(500, null)).toMatchObject({ begins: null, freeAt: before?.freeAt });
    expect((await limit.places())?.freeAt).toEqual(before?.freeAt);
  });

  it('that begin later are left to others by a job that had its share', async () => {
    const limit = new SharedLimitRepository(world.own);
    const yields = new Date(Date.now() + 3_600_000);
    expect((await limit.reserve(60_000, yields)).begins).not.toBeNull();
    await limits.usedUp(900);
    expect((await limit.reserve(1, yields)).begins).toBeNull();
  });
});
