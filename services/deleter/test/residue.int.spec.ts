import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type AnyMessage,
  CancelRequested,
  type JobOptions,
  ObjectPurgeFailed,
  type Positions,
  positions,
  RetryRequested,
  VerificationRequested,
} from '@expunge/contracts';
import { ConflictError } from '@expunge/messaging';
import { ObjectId } from 'mongodb';
import type { DeletionJob } from '../src/deletion-job/deletion-job.js';
import { type Deleter, deleteRequested, fill, keyOf, runToEnd, World } from './deleters.js';
import { intercept, withClockAhead } from './intercept.js';
import { Killed, killedAt } from './killed.js';

let world: World;
beforeAll(async () => {
  world = await World.create();
}, 30_000);
afterAll(() => world.destroy());
beforeEach(() => world.reset());

let made = 0;
const fields = (source: string) => {
  made += 1;
  const time = new Date().toISOString();
  return { id: `m-${made}`, source: `urn:expunge:${source}`, subject: 'job', tenantid: 'acme', time };
};
const actor = { requestedBy: 'ann', reason: null };
const retry = () => RetryRequested.create({ ...fields('api'), data: actor });
const verification = (finished: number, chunks?: Positions) =>
  VerificationRequested.create({ ...fields('monitor'), data: { finished, ...(chunks && { chunks }) } });
const purgeFailed = (batch: number, which: Positions, round?: number) =>
  ObjectPurgeFailed.create({
    ...fields('storage-cleaner'),
    data: { batch, positions: which, instance: 'c1', code: 'AccessDenied', message: 'denied', ...(round && { round }) },
  });

const receiptsOf = () => world.db.collection('receipts');
const jobOf = async (deleter: Deleter): Promise<DeletionJob> => (await deleter.jobs.read('job'))!;
const ofType = <T extends AnyMessage['type']>(messages: AnyMessage[], type: T) =>
  messages.filter((message): message is Extract<AnyMessage, { type: T }> => message.type === type);

/** A job that has deleted `n` records of a file each, by batches of two. */
async function finishedJob(n: number, options: Partial<JobOptions> = {}): Promise<Deleter> {
  await fill(world.db, n);
  const deleter = world.deleter('d1');
  await deleter.requests.accept(deleteRequested('job', { options: { batchSize: 2, ...options } }));
  await runToEnd(deleter, 'job');
  await world.published();
  return deleter;
}

describe('a verification', () => {
  it('counts what matches and is no failure, and what no job can mean; it asks for keys that were purged', async () => {
    const outside = await fill(world.db, 1, 'acme');
    await receiptsOf().updateOne({ _id: outside[0]! }, { $set: { attachments: [{ key: 'elsewhere/x' }] } });
    const deleter = await finishedJob(3);
    const { finished, totals } = await jobOf(deleter);
    expect(totals).toMatchObject({ succeeded: 3, failed: 1 });
    // Put back under ids of before the request, which the bound takes in; and one that no page shows.
    const back = [ObjectId.createFromTime(1), ObjectId.createFromTime(2)];
    await receiptsOf().insertMany(back.map((_id) => ({ _id, tenantId: 'acme' })));
    await receiptsOf().insertOne({ _id: 'text' as never, tenantId: 'acme' });
    await receiptsOf().insertMany([{ tenantId: 'other' }, { _id: 'more' as never, tenantId: 'other' }]);

    await deleter.verification.take(verification(finished!));
    const { events, batches } = await world.published();
    expect(ofType(events, 'RecordsVerified')).toMatchObject([
      {
        sequence: finished! + 1,
        data: {
          finished,
          left: 2,
          firstLeft: back.map((id) => id.toHexString()),
          otherTypes: 1,
          isComplete: true,
          chunks: 1,
        },
      },
    ]);
    const [check, ...more] = ofType(batches, 'ObjectCheckRequested');
    expect(more).toEqual([]);
    const keys = check!.data.batches.flatMap(({ objectKeys }) => objectKeys);
    expect(keys.sort()).toEqual([0, 1, 2].map(keyOf));
  });

  it('looks through the records once, however often it is asked, and asks for the keys each time', async () => {
    const deleter = await finishedJob(4);
    const { finished } = await jobOf(deleter);
    await deleter.verification.take(verification(finished!));
    const first = await world.published();
    await world.deleter('d2').verification.take(verification(finished!, [[1, 1]]));
    const second = await world.published();
    expect(ofType(first.events, 'RecordsVerified')).toHaveLength(1);
    expect(ofType(second.events, 'RecordsVerified')).toEqual([]);
    expect(second.batches).toMatchObject([{ type: 'ObjectCheckRequested', id: first.batches[0]!.id }]);
    expect(second.batches[0]!.data).toEqual(first.batches[0]!.data);
  });

  it('asks for every key of a full one, a batch at a time, and only for the chunks that are missing', async () => {
    const deleter = await finishedJob(6, { verify: 'full' });
    const { finished } = await jobOf(deleter);
    await deleter.verification.take(verification(finished!));
    const all = ofType((await world.published()).batches, 'ObjectCheckRequested');
    expect(all.map(({ data }) => [data.chunk, data.batches])).toEqual(
      [1, 2, 3].map((batch) => [
        batch,
        [{ batch, positions: [[0, 1]], objectKeys: [keyOf(2 * batch - 2), keyOf(2 * batch - 1)] }],
      ]),
    );
    await deleter.verification.take(
      verification(finished!, [
        [1, 1],
        [3, 3],
      ]),
    );
    const again = ofType((await world.published()).batches, 'ObjectCheckRequested');
    expect(again.map(({ data }) => data.chunk)).toEqual([1, 3]);
  });

  it('takes a sample of a thousand keys from all over the job', async () => {
    await fill(world.db, 2400);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job', { options: { batchSize: 600 } }));
    await runToEnd(deleter, 'job');
    await world.published();
    await deleter.verification.take(verification((await jobOf(deleter)).finished!));
    const [check] = ofType((await world.published()).batches, 'ObjectCheckRequested');
    expect(check!.data.batches.map(({ objectKeys }) => objectKeys.length)).toEqual([250, 250, 250, 250]);
    for (const { batch, positions: where, objectKeys } of check!.data.batches) {
      const { objectKeys: stored } = await deleter.events.keysOf('job', batch);
      expect([...positions.each(where)].map((at) => stored[at])).toEqual(objectKeys);
    }
  }, 30_000);

  it('is done though somebody writes the job while it looks', async () => {
    const deleter = await finishedJob(4);
    const { finished } = await jobOf(deleter);
    let others = 5;
    const disturbed = world.deleter('d2', {
      records: (records) =>
        intercept(records, 'countOtherTypes', async (count, ...args) => {
          if (others-- > 0) await deleter.jobs.write(await jobOf(deleter));
          return count(...args);
        }),
    });
    await disturbed.verification.take(verification(finished!));
    const { events } = await world.published();
    expect(events.map(({ type }) => type)).toEqual(['ObjectCheckRequested', 'RecordsVerified']);
  });

  it('asks for the keys though another slice tells what is in the outbox', async () => {
    const deleter = await finishedJob(4);
    const { finished, lanes } = await jobOf(deleter);
    let writes = 0;
    const disturbed = world.deleter('d2', {
      jobs: (jobs) =>
        intercept(jobs, 'write', async (write, job) => {
          if (++writes === 2) await deleter.slices.run('job', lanes[0].turn - 1, null);
          return write(job);
        }),
    });
    await expect(disturbed.verification.take(verification(finished!))).rejects.toThrow(ConflictError);
    const { events } = await world.published();
    // Told twice, by the one and by the other.
    expect(events.map(({ type }) => type)).toEqual(['ObjectCheckRequested', 'RecordsVerified', 'RecordsVerified']);
    expect(await jobOf(deleter)).toMatchObject({ verified: finished, outbox: [] });
  });

  it('of an earlier end, or of a job that is being retried, does nothing', async () => {
    const deleter = await finishedJob(2);
    const { finished } = await jobOf(deleter);
    await deleter.verification.take(verification(finished! - 1));
    await deleter.control.take(retry());
    await world.published();
    await deleter.verification.take(verification(finished!));
    expect(await world.published()).toEqual({ slices: [], later: [], batches: [], events: [] });
  });
});

describe('a retry', () => {
  it('of a finished job asks again for purges that failed, but for keys in use, and deletes what has come back', async () => {
    const deleter = await finishedJob(4);
    await deleter.failedPurges.add(purgeFailed(1, [[0, 1]]));
    await deleter.failedPurges.add(purgeFailed(2, [[0, 0]]));
    await receiptsOf().insertOne({ tenantId: 'other', attachments: [{ key: keyOf(0) }] });
    await receiptsOf().insertOne({ _id: ObjectId.createFromTime(1), tenantId: 'acme' });
    await deleter.control.take(retry());
    await runToEnd(deleter, 'job');
    const { events } = await world.published();
    expect(events.map(({ type }) => type)).toEqual([
      'DeletionResumed',
      'PurgeRequested',
      'PurgeRequested',
      'BatchDeleted',
      'DeletionFinished',
    ]);
    expect(ofType(events, 'PurgeRequested').map(({ data }) => data)).toMatchObject([
      { batch: 1, positions: [[1, 1]], objectKeys: [keyOf(1)], round: 1, retained: [[0, 0]] },
      { batch: 2, positions: [[0, 0]], objectKeys: [keyOf(2)], round: 1 },
    ]);
    expect(events.map(({ sequence }) => sequence)).toEqual([5, 6, 7, 8, 9]);
    expect(await jobOf(deleter)).toMatchObject({
      state: 'finished',
      finished: 9,
      purgesDue: false,
      totals: { succeeded: 5 },
    });

    // Asked for once. What fails again is asked for by the next retry.
    await deleter.failedPurges.add(purgeFailed(2, [[0, 0]], 1));
    await deleter.control.take(retry());
    await runToEnd(deleter, 'job');
    const second = ofType((await world.published()).events, 'PurgeRequested');
    expect(second.map(({ data }) => [data.batch, data.positions, data.round])).toEqual([[2, [[0, 0]], 2]]);
  });

  it('of a cancelled job asks for its failed purges, and deletes nothing', async () => {
    await fill(world.db, 4);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job', { options: { batchSize: 2, maxRecordsPerSecond: 1 } }));
    await deleter.slices.run('job', 1, null);
    await deleter.control.take(CancelRequested.create({ ...fields('api'), data: actor }));
    const { totals, state } = await jobOf(deleter);
    expect(state).toBe('cancelled');
    await deleter.failedPurges.add(purgeFailed(1, [[0, 0]]));
    const left = await receiptsOf().countDocuments();
    await world.published();
    await deleter.control.take(retry());
    expect((await world.published()).slices).toHaveLength(1);
    await runToEnd(deleter, 'job');
    const { events } = await world.published();
    expect(events.map(({ type }) => type)).toEqual(['PurgeRequested']);
    expect(await jobOf(deleter)).toMatchObject({ state: 'cancelled', totals, purgesDue: false, outbox: [] });
    expect(await receiptsOf().countDocuments()).toBe(left);
  });

  it('asks for each failed purge at least once, whichever call of its worker was the last', async () => {
    const ahead = withClockAhead(10_000);
    let k = 0;
    for (let died = true; died;) {
      k += 1;
      for (const when of ['before', 'after'] as const) {
        await world.reset();
        const deleter = await finishedJob(4);
        for (const batch of [1, 2]) await deleter.failedPurges.add(purgeFailed(batch, [[0, 1]]));
        await deleter.control.take(retry());
        const fate = killedAt(k, when);
        const { turn } = (await jobOf(deleter)).lanes[0];
        await world.deleter('victim', fate.wrappers).slices.run('job', turn, null).catch(expectKilled);
        died = fate.isDead();
        await runToEnd(world.deleter('heir', { records: ahead }), 'job');
        const asked = ofType((await world.published()).events, 'PurgeRequested');
        const keys = asked.flatMap(({ data }) => data.objectKeys);
        expect([k, when, [...new Set(keys)].sort()]).toEqual([k, when, [0, 1, 2, 3].map(keyOf)]);
        expect(await jobOf(deleter)).toMatchObject({ state: 'finished', totals: { succeeded: 4 }, purgesDue: false });
        expect(await world.own.collection('failed_purges').countDocuments()).toBe(0);
      }
    }
    expect(k).toBeGreaterThan(12);
  }, 120_000);
});

const expectKilled = (error: unknown) => {
  if (!(error instanceof Killed) && !(error instanceof ConflictError)) throw error;
};
