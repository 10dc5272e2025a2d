import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { JobExpired, jobExpiredId, ObjectPurgeFailed, RetryRequested } from '@expunge/contracts';
import { ConflictError, TransientError } from '@expunge/messaging';
import { Activity } from '@expunge/runtime';
import { RequestsConsumer } from '../src/requests.consumer.js';
import { type Deleter, deleteRequested, fill, runToEnd, World } from './deleters.js';
import { intercept } from './intercept.js';
import { Killed, killedAt } from './killed.js';

jest.setTimeout(60_000);

let world: World;
beforeAll(async () => {
  world = await World.create();
}, 30_000);
afterAll(() => world.destroy());
beforeEach(() => world.reset());

/** The request of a job is valid for a minute. */
const later = () => new Date(Date.now() + 120_000);

function expired(job: string, sequence: number): JobExpired {
  const fields = { id: jobExpiredId(job, 9), source: 'urn:expunge:monitor', subject: job, tenantid: 'acme' };
  return JobExpired.create({ ...fields, time: later().toISOString(), data: { sequence, position: 9 } });
}

const retry = (job: string, time = new Date()): RetryRequested =>
  RetryRequested.create({
    id: `${job}:retry`,
    source: 'urn:expunge:api',
    subject: job,
    time: time.toISOString(),
    tenantid: 'acme',
    data: { requestedBy: 'ann', reason: null },
  });

const purgeFailed = (job: string): ObjectPurgeFailed =>
  ObjectPurgeFailed.create({
    id: `${job}:1:failed:0`,
    source: 'urn:expunge:storage-cleaner',
    subject: job,
    time: new Date().toISOString(),
    tenantid: 'acme',
    data: { batch: 1, positions: [[0, 0]], instance: 'c1', code: 'AccessDenied', message: 'locked' },
  });

/** Deleted two receipts, left one whose key nobody can read and kept a key for another tenant's receipt. */
async function finished(deleter: Deleter, job: string): Promise<number> {
  await fill(world.db, 2);
  await world.db.collection('receipts').insertMany([
    { tenantId: 'acme', attachments: [{ key: 7 }] },
    { tenantId: 'acme', attachments: [{ key: 'tenants/acme/shared' }] },
    { tenantId: 'other', attachments: [{ key: 'tenants/acme/shared' }] },
  ]);
  await deleter.requests.accept(deleteRequested(job));
  await runToEnd(deleter, job);
  await deleter.failedPurges.add(purgeFailed(job));
  await world.db.collection('receipts').deleteMany({});
  return (await deleter.jobs.read(job))!.sequence;
}

async function failed(deleter: Deleter, job: string): Promise<number> {
  await finished(deleter, job);
  await world.own.collection<{ _id: string }>('jobs').updateOne({ _id: job }, { $set: { state: 'failed' } });
  return (await deleter.jobs.read(job))!.sequence;
}

/** Documents of the job in each of the deleter's collections. */
async function kept(job: string): Promise<Record<string, number>> {
  const count = (name: string, filter: object) => world.own.collection(name).countDocuments(filter);
  return {
    jobs: await count('jobs', { _id: job }),
    events: await count('events', { job }),
    failures: await count('failures', { job }),
    retained: await count('retained', { job }),
    failedPurges: await count('failed_purges', { job }),
  };
}
const nothing = { jobs: 0, events: 0, failures: 0, retained: 0, failedPurges: 0 };

const removals = async () => (await world.published()).events.filter(({ type }) => type === 'JobRemoved');

describe('a job that has expired', () => {
  it('leaves the deleter with its events, failures and kept keys, and nothing of another job goes', async () => {
    const deleter = world.deleter('d1');
    const sequence = await finished(deleter, 'job');
    await finished(deleter, 'other');
    const others = await kept('other');
    expect(await kept('job')).toEqual({ jobs: 1, events: sequence, failures: 1, retained: 1, failedPurges: 1 });
    await world.published();

    const message = expired('job', sequence);
    await deleter.expiry.expire(message, later());
    expect(await kept('job')).toEqual(nothing);
    expect(await kept('other')).toEqual(others);
    expect(await removals()).toMatchObject([{ subject: 'job', tenantid: 'acme', data: { expiredAt: message.time } }]);
  });

  it('is told to be gone when the deleter never had it', async () => {
    await world.deleter('d1').expiry.expire(expired('unheard-of', 0), later());
    expect(await removals()).toMatchObject([{ subject: 'unheard-of' }]);
  });

  it.each(['before', 'after'] as const)(
    'leaves it altogether when its worker dies at any call (%s it was made) and the message comes again',
    async (when) => {
      let deaths = 0;
      for (;;) {
        await world.reset();
        const sequence = await finished(world.deleter('d1'), 'job');
        await world.published();
        const { wrappers, isDead } = killedAt(deaths + 1, when);
        const message = expired('job', sequence);
        const end = await world
          .deleter('dying', wrappers)
          .expiry.expire(message, later())
          .catch((error: unknown) => error);
        if (!isDead()) break;
        expect(end).toBeInstanceOf(Killed);
        deaths += 1;
        await world.deleter('d2').expiry.expire(message, later());
        expect([deaths, await kept('job')]).toEqual([deaths, nothing]);
        expect((await removals()).length).toBeGreaterThan(0);
      }
      // Read, document, events, leftovers, failed purges, JobRemoved.
      expect(deaths).toBe(6);
    },
  );

  it('stays with all it has when a retry comes between judging and removing it', async () => {
    const deleter = world.deleter('d1');
    const sequence = await failed(deleter, 'job');
    const before = await kept('job');
    await world.published();
    const slow = world.deleter('slow', {
      jobs: (jobs) =>
        intercept(jobs, 'remove', async (real, ...args) => {
          await deleter.control.take(retry('job'));
          return real(...args);
        }),
    });
    await expect(slow.expiry.expire(expired('job', sequence), later())).rejects.toThrow(ConflictError);
    expect(await deleter.jobs.read('job')).toMatchObject({ state: 'running' });
    // And the answer to the retry.
    expect(await kept('job')).toEqual({ ...before, events: before['events']! + 1 });
    expect(await removals()).toEqual([]);
    // Heard again, and the monitor knows no more than it did.
    expect(await deleter.expiry.expire(expired('job', sequence), later())).toEqual({ do: 'tell-later-events' });
    expect(await kept('job')).toMatchObject({ jobs: 1 });
  });

  it('is an unknown job to a retry that comes after it', async () => {
    const deleter = world.deleter('d1');
    const sequence = await failed(deleter, 'job');
    await deleter.expiry.expire(expired('job', sequence), later());
    await world.published();
    await expect(deleter.control.take(retry('job'))).rejects.toThrow(TransientError);
    await deleter.control.take(retry('job', new Date(Date.now() - 61_000)));
    expect((await world.published()).events).toMatchObject([
      { type: 'RequestRefused', data: { requestId: 'job:retry', reason: 'unknown-job' } },
    ]);
    expect(await kept('job')).toEqual(nothing);
  });
});

it('a monitor that takes a job for settled too early is told the events it lacks, and nothing goes', async () => {
  const deleter = world.deleter('d1');
  const sequence = await finished(deleter, 'job');
  const before = await kept('job');
  await world.published();
  const { requests, control, events, failedPurges, verification, expiry } = deleter;
  const consumer = new RequestsConsumer(
    requests,
    control,
    events,
    failedPurges,
    verification,
    expiry,
    world.publisher,
    new Activity(),
  );
  await consumer.onRequest(expired('job', sequence - 1));
  expect((await world.published()).events.map(({ type, sequence: n }) => [type, n])).toEqual([
    ['DeletionFinished', sequence],
  ]);
  expect(await kept('job')).toEqual(before);
});
