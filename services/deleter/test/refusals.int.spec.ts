import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type AnyMessage,
  type BatchDeleted,
  type ControlRequest,
  PauseRequested,
  receipts,
  ResumeRequested,
  RetryRequested,
} from '@expunge/contracts';
import { openStore, type Store } from '@expunge/runtime/store';
import { pino } from 'pino';
import { type DeletionJob } from '../src/deletion-job/deletion-job.js';
import type { Records } from '../src/records/records.js';
import { RecordsRepository } from '../src/records/records.repository.js';
import { type Deleter, deleteRequested, fill, keyOf, runToEnd, World, type Wrappers } from './deleters.js';
import { intercept, withClockAhead } from './intercept.js';
import { Killed, killedAt } from './killed.js';
import { RefusingServer } from './refusing-server.js';
import { until } from './until.js';

let world: World;
let server: RefusingServer;
let store: Store;
beforeAll(async () => {
  world = await World.create();
  const relay = await RefusingServer.before(world.recordsUrl);
  server = relay.server;
  store = openStore(relay.url, 'test', pino({ level: 'silent' }));
}, 30_000);
afterAll(async () => {
  await store.close();
  await server.close();
  await world.destroy();
});
beforeEach(() => world.reset());
afterEach(() => {
  server.refuses.clear();
  server.refused = 0;
});

const refusing = (): Records => new RecordsRepository(store.db(), new Map([[receipts.name, receipts]]));
/** Its records stand behind the server that refuses. */
function deleterOf(instance: string, wrap: Wrappers = {}): Deleter {
  return world.deleter(instance, { ...wrap, records: () => wrap.records?.(refusing()) ?? refusing() });
}

const standing = async () => {
  const found = await world.db.collection('receipts').find({ tenantId: 'acme' }).sort({ _id: 1 }).toArray();
  return found.map(({ _id }) => String(_id));
};
const batchesIn = (messages: AnyMessage[]) =>
  messages.filter((message): message is BatchDeleted => message.type === 'BatchDeleted');
const jobOf = async (deleter: Deleter): Promise<DeletionJob> => (await deleter.jobs.read('job'))!;
const stored = async () => {
  const found = await world.own.collection('events').find({ 'message.subject': 'job' }).sort({ sequence: 1 }).toArray();
  return found.map((event) => event['message'] as AnyMessage);
};

/** So many receipts; the server refuses those at these places. */
async function given(count: number, ...places: number[]): Promise<string[]> {
  const ids = (await fill(world.db, count)).map(String);
  const refused = places.map((place) => ids[place] ?? '');
  for (const id of refused) server.refuses.add(id);
  return refused;
}

const definitions = { PauseRequested, ResumeRequested, RetryRequested };
let made = 0;
function asked(type: keyof typeof definitions): ControlRequest {
  const fields = { id: `job:${type}:${(made += 1)}`, source: 'urn:expunge:api', subject: 'job', tenantid: 'acme' };
  const data = { requestedBy: 'ann', reason: null };
  return definitions[type].create({ ...fields, time: new Date().toISOString(), data });
}

describe('a record that the server will not delete', () => {
  it('is found, becomes a failure with the words of the server, and keeps no other from going', async () => {
    const refused = await given(20, 3, 4, 17);
    const deleter = deleterOf('d1');
    await deleter.requests.accept(deleteRequested('job', { options: { batchSize: 8 } }));
    await runToEnd(deleter, 'job');
    expect(await standing()).toEqual(refused);
    const job = await jobOf(deleter);
    expect(job).toMatchObject({ state: 'finished', totals: { succeeded: 17, failed: 3, objects: 17 } });
    const batches = batchesIn((await world.published()).events);
    expect(batches.flatMap(({ data }) => data.failures)).toEqual(
      refused.map((id) => ({
        id,
        code: 'DELETE_REFUSED',
        message: expect.stringMatching(/121: Document failed validation$/),
      })),
    );
    const keys = batches.flatMap(({ data }) => data.objectKeys);
    const others = Array.from({ length: 20 }, (_, n) => n).filter((n) => ![3, 4, 17].includes(n));
    expect([...keys].sort()).toEqual(others.map(keyOf).sort());
    expect(server.refused).toBeGreaterThan(3);
    expect(server.refused).toBeLessThan(15);
  });

  it.each(['before', 'after'] as const)(
    'is counted once, whichever call of a worker was the last (%s it was made), and also if it can go later',
    async (when) => {
      let k = 0;
      for (let died = true; died;) {
        k += 1;
        await world.reset();
        const [refused] = await given(3, 1);
        const fate = killedAt(k, when);
        const victim = deleterOf('victim', fate.wrappers);
        const options = { batchSize: 3 };
        await victim.requests.accept(deleteRequested('job', { options })).catch(expectKilled);
        if (!fate.isDead()) await runToEnd(victim, 'job').catch(expectKilled);
        died = fate.isDead();

        // Every other time it can be deleted by now: it must be either gone or a failure, never neither.
        if (k % 2 === 0) server.refuses.clear();
        const heir = deleterOf('heir', { records: withClockAhead(10_000) });
        const requestedAt = (await heir.jobs.read('job'))?.requestedAt;
        const again = deleteRequested(
          'job',
          { options },
          requestedAt === undefined ? new Date() : new Date(requestedAt),
        );
        await heir.requests.accept(again);
        await runToEnd(heir, 'job');
        const left = await standing();
        const { totals } = await jobOf(heir);
        expect([k, totals]).toMatchObject([k, { succeeded: 3 - left.length, failed: left.length, retained: 0 }]);
        if (k % 2 === 1) expect(left).toEqual([refused]);
        const messages = await stored();
        expect(messages.map(({ sequence }) => sequence)).toEqual(messages.map((_, i) => i + 1));
        const batches = batchesIn(messages);
        expect(batches.flatMap(({ data }) => data.failures.map(({ id }) => id))).toEqual(left);
        const keys = batches.flatMap(({ data }) => data.objectKeys);
        expect(keys).toHaveLength(3 - left.length);
        expect(new Set(keys).size).toBe(keys.length);
        server.refuses.clear();
      }
      expect(k).toBeGreaterThan(30);
    },
    240_000,
  );

  const expectKilled = (error: unknown) => {
    if (!(error instanceof Killed)) throw error;
  };

  it('loses nothing to a pause that comes between the refusal and what is made of it', async () => {
    for (const refusal of [1, 2]) {
      await world.reset();
      const refused = await given(6, 4);
      server.refused = 0;
      const other = deleterOf('other');
      let paused = false;
      const interrupted = deleterOf('d1', {
        records: (records) =>
          intercept(records, 'aftermath', async (real, ...args) => {
            if (!paused && server.refused === refusal) {
              paused = true;
              await other.control.take(asked('PauseRequested'));
            }
            return real(...args);
          }),
      });
      await interrupted.requests.accept(deleteRequested('job', { options: { batchSize: 6 } }));
      await interrupted.slices.run('job', 1, null);
      expect(await jobOf(other)).toMatchObject({ state: 'paused', lanes: [{ plan: null, batchLimit: 1 }] });
      await other.control.take(asked('ResumeRequested'));
      await runToEnd(other, 'job');
      expect(await standing()).toEqual(refused);
      expect((await jobOf(other)).totals).toMatchObject({ succeeded: 5, failed: 1, objects: 5 });
      expect(batchesIn(await stored()).flatMap(({ data }) => data.failures)).toHaveLength(1);
    }
  });
});

describe('too many failures', () => {
  it('fail the job, which says how many, and goes on once it is retried', async () => {
    const refused = await given(40, ...Array.from({ length: 15 }, (_, n) => 2 * n + 1), 2, 4);
    const limits = { failures: { maxShare: 0.5, minSample: 20 } };
    const deleter = deleterOf('d1', { limits });
    await deleter.requests.accept(deleteRequested('job', { options: { batchSize: 5 } }));
    await runToEnd(deleter, 'job');
    const failed = await jobOf(deleter);
    expect(failed).toMatchObject({ state: 'failed', lanes: [{ plan: null }] });
    const { succeeded, failed: failures } = failed.totals;
    expect(failures).toBeGreaterThan((succeeded + failures) / 2);
    expect((await stored()).at(-1)).toMatchObject({
      type: 'DeletionFailed',
      data: {
        error: {
          code: 'TOO_MANY_FAILURES',
          message: `${failures} of ${succeeded + failures} records could not be deleted`,
        },
      },
    });
    await deleter.control.take(asked('RetryRequested'));
    await runToEnd(deleter, 'job');
    expect(await jobOf(deleter)).toMatchObject({ state: 'finished', totals: { succeeded: 23, failed: 17 } });
    expect(await standing()).toEqual([...refused].sort());
  });
});

describe('a job without progress', () => {
  it('fails though a slice hangs in it whose worker lives, and can be retried', async () => {
    await given(3);
    let answer: () => void = () => undefined;
    const never = new Promise<void>((resolve) => (answer = resolve));
    const limits = { noProgressForMs: 1000 };
    const hanging = deleterOf('d1', {
      limits,
      records: (records) => intercept(records, 'page', async (real, ...args) => never.then(() => real(...args))),
    });
    await hanging.requests.accept(deleteRequested('job'));
    const slice = hanging.slices.run('job', 1, null);
    await until(async () => (await jobOf(hanging)).lanes[0].holder);
    await world.published();
    // It says that it lives until that has been too long; then the watchdog brings its turn out again.
    await until(async () => {
      await hanging.watchdog.sweep(Date.now());
      return (await world.published()).slices[0] ?? null;
    });
    await hanging.slices.run('job', 1, null);
    expect(await jobOf(hanging)).toMatchObject({ state: 'failed', outbox: [] });
    expect((await stored()).at(-1)).toMatchObject({ type: 'DeletionFailed', data: { error: { code: 'NO_PROGRESS' } } });
    answer();
    await expect(slice).rejects.toMatchObject({ name: 'ConflictError' });
    expect(await standing()).toHaveLength(3);

    const healthy = deleterOf('d2', { limits });
    await healthy.control.take(asked('RetryRequested'));
    await runToEnd(healthy, 'job');
    expect(await jobOf(healthy)).toMatchObject({ state: 'finished', totals: { succeeded: 3 } });
  }, 30_000);
});
