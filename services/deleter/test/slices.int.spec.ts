import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type BatchDeleted, workQueues } from '@expunge/contracts';
import { ConflictError, TransientError, ValidationError } from '@expunge/messaging';
import { planDeadline } from '../src/deletion-job/deletion-job.js';
import type { Records } from '../src/records/records.js';
import { type Deleter, deleteRequested, fill, keyOf, runToEnd, World } from './deleters.js';
import { intercept, withClockAhead } from './intercept.js';
import { Killed, killedAt } from './killed.js';
import { passed, until } from './until.js';

let world: World;
beforeAll(async () => {
  world = await World.create();
}, 30_000);
afterAll(() => world.destroy());
beforeEach(() => world.reset());

const receiptsLeft = () => world.db.collection('receipts').countDocuments({ tenantId: 'acme' });
const batchesIn = (messages: { type: string }[]) =>
  messages.filter((m): m is BatchDeleted => m.type === 'BatchDeleted');
const keysIn = (messages: { type: string }[]) =>
  batchesIn(messages)
    .flatMap((b) => b.data.objectKeys)
    .sort();
const keysOf = (n: number) => Array.from({ length: n }, (_, i) => keyOf(i)).sort();

describe('a job', () => {
  it('deletes the selection batch by batch, tells each, and touches nobody else', async () => {
    await fill(world.db, 5);
    await fill(world.db, 3, 'other');
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    await runToEnd(deleter, 'job');
    expect(await receiptsLeft()).toBe(0);
    expect(await world.db.collection('receipts').countDocuments()).toBe(3);
    const { events, batches, slices } = await world.published();
    expect(slices).toMatchObject([{ type: 'SliceDue', data: { turn: 1 } }]);
    expect(events.map((e) => [e.type, e.sequence])).toEqual([
      ['DeletionStarted', 1],
      ['BatchDeleted', 2],
      ['BatchDeleted', 3],
      ['BatchDeleted', 4],
      ['DeletionFinished', 5],
    ]);
    expect(batchesIn(events).map((b) => [b.data.batch, b.data.count])).toEqual([
      [1, 2],
      [2, 2],
      [3, 1],
    ]);
    expect(events[4]?.data).toMatchObject({ totals: { batches: 3, succeeded: 5, failed: 0, objects: 5, retained: 0 } });
    expect(keysIn(batches)).toEqual(keysOf(5));
    const stored = await world.own.collection('events').find().sort({ sequence: 1 }).toArray();
    expect(stored.map((e) => e['sequence'] as number)).toEqual([1, 2, 3, 4, 5]);
    expect(await deleter.jobs.read('job')).toMatchObject({ state: 'finished', outbox: [] });
  });

  it('is one, however often its request arrives and by however many workers', async () => {
    await fill(world.db, 3);
    const [one, two] = [world.deleter('d1'), world.deleter('d2')];
    const request = deleteRequested('job');
    const outcomes = await Promise.allSettled([one.requests.accept(request), two.requests.accept(request)]);
    const lost = outcomes.filter((o) => o.status === 'rejected').map((o): unknown => o.reason);
    expect(lost.every((reason) => reason instanceof ConflictError)).toBe(true);
    expect(lost.length).toBeLessThan(2);
    await one.requests.accept(request);
    await runToEnd(two, 'job');
    await one.requests.accept(request);
    const { events, batches } = await world.published();
    expect(new Set(events.map((e) => e.id)).size).toBe(4);
    expect(new Set(keysIn(batches)).size).toBe(3);
    expect((await one.jobs.read('job'))?.totals).toMatchObject({ succeeded: 3, objects: 3 });
  });

  it('refuses another request under its id, and one that comes too late', async () => {
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    await world.published();
    await deleter.requests.accept(deleteRequested('job', { options: { batchSize: 9 } }));
    await deleter.requests.accept(deleteRequested('late', {}, new Date(Date.now() - 120_000)));
    const { events, slices } = await world.published();
    expect(events.map((e) => [e.subject, e.type, e.sequence, (e.data as { reason: string }).reason])).toEqual([
      ['job', 'RequestRefused', undefined, 'conflict'],
      ['late', 'RequestRefused', undefined, 'expired'],
    ]);
    expect(slices).toEqual([]);
    expect(await deleter.jobs.read('late')).toBeNull();
  });

  it('is none where no tenant is named', async () => {
    const { tenantid: _, ...nobodys } = deleteRequested('job');
    await expect(world.deleter('d1').requests.accept(nobodys)).rejects.toBeInstanceOf(ValidationError);
  });

  it('fails at once, and says why, where it could not run', async () => {
    await world.db.collection('receipts').dropIndex('previewKey_1');
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('no-index'));
    const notAfter = new Date(Date.now() + 60_000).toISOString();
    const old = new Date(Date.now() - 61_000);
    await deleter.requests.accept(deleteRequested('no-resource', { resource: 'invoices', notAfter }, old));
    await deleter.requests.accept(deleteRequested('no-field', { selection: { filter: { tenantId: 'other' } } }));
    const { events, slices } = await world.published();
    expect(events.map((e) => [e.type, (e.data as { error: { code: string } }).error.code])).toEqual([
      ['DeletionFailed', 'MISSING_INDEX'],
      ['DeletionFailed', 'UNKNOWN_RESOURCE'],
      ['DeletionFailed', 'INVALID_SELECTION'],
    ]);
    expect(JSON.stringify(events[0])).toContain('createIndex({\\"previewKey\\":1}');
    // A deleter that has not been given the new resource yet is no reason to fail.
    const fresh = deleter.requests.accept(deleteRequested('new-resource', { resource: 'invoices' }));
    await expect(fresh).rejects.toMatchObject({ name: 'TransientError', code: 'UNKNOWN_RESOURCE' });
    expect(slices).toEqual([]);
  });

  it('leaves records that were created after the request', async () => {
    await fill(world.db, 2);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    await fill(world.db, 2);
    await runToEnd(deleter, 'job');
    expect(await receiptsLeft()).toBe(2);
  });

  it('reports records it may not touch, deletes the rest, and ends', async () => {
    const [a, b, c] = await fill(world.db, 6);
    const receipts = world.db.collection('receipts');
    await receipts.updateOne({ _id: a! }, { $set: { previewKey: 'tenants/other/x' } });
    await receipts.updateOne({ _id: b! }, { $set: { attachments: 'not a list' } });
    await receipts.updateOne({ _id: c! }, { $set: { attachments: [{ name: 'no key' }, { key: keyOf(2) }] } });
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    await runToEnd(deleter, 'job');
    expect((await receipts.find().toArray()).map((r) => r._id)).toEqual([a, b]);
    expect((await deleter.jobs.read('job'))?.totals).toMatchObject({ succeeded: 4, failed: 2, objects: 4 });
    const { events } = await world.published();
    expect(batchesIn(events).flatMap((e) => e.data.failures.map((f) => [f.id, f.code]))).toEqual([
      [a!.toHexString(), 'KEY_OUTSIDE_PREFIX'],
      [b!.toHexString(), 'KEY_UNREADABLE'],
    ]);
  });

  it('keeps a shared key until its last record goes, and reports it once', async () => {
    const [a, , c] = await fill(world.db, 5);
    const receipts = world.db.collection('receipts');
    const shared = keyOf('shared');
    await receipts.updateMany({ _id: { $in: [a!, c!] } }, { $set: { previewKey: shared } });
    await receipts.insertOne({ tenantId: 'other', previewKey: shared });
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    await runToEnd(deleter, 'job');
    const first = batchesIn((await world.published()).events);
    expect(first.flatMap((e) => e.data.retained)).toEqual([shared]);
    expect(keysIn(first)).toEqual(keysOf(5));
    expect((await deleter.jobs.read('job'))?.totals).toMatchObject({ succeeded: 5, objects: 5, retained: 1 });

    await receipts.updateOne({ tenantId: 'other' }, { $set: { tenantId: 'acme' } });
    await deleter.requests.accept(deleteRequested('second'));
    await runToEnd(deleter, 'second');
    expect(keysIn((await world.published()).batches)).toEqual([shared]);
  });
});

describe('a batch', () => {
  const ASKED_FOR = 80;
  const sizesOf = async () => batchesIn((await world.published()).events).map(({ data }) => data.count);
  /** The first deletes take longer than any should, as their server sees it. */
  const slowAtFirst = (deletes: number) => (records: Records) =>
    intercept(records, 'delete', async (real, ...args) => {
      const outcome = await real(...args);
      if (deletes-- > 0) await passed(new Date(Date.now() + 600));
      return outcome;
    });

  it('is half as large after each delete that took over half a second, and grows back after quick ones', async () => {
    await fill(world.db, 800);
    const deleter = world.deleter('d1', { records: slowAtFirst(2) });
    await deleter.requests.accept(deleteRequested('job', { options: { batchSize: ASKED_FOR } }));
    await runToEnd(deleter, 'job');
    const sizes = await sizesOf();
    expect(sizes.slice(0, 3)).toEqual([ASKED_FOR, ASKED_FOR / 2, ASKED_FOR / 4]);
    const later = sizes.slice(2);
    expect(Math.max(...later)).toBe(ASKED_FOR);
    expect(later.filter((size, i) => i > 0 && size > 2 * later[i - 1]!)).toEqual([]);
    expect((await deleter.jobs.read('job'))?.totals).toMatchObject({ succeeded: 800, failed: 0 });
  });
});

describe('when the application goes on writing', () => {
  const onFirst = (method: 'delete' | 'aftermath', change: () => Promise<unknown>) => (records: Records) => {
    let done = false;
    return intercept(records, method, async (real, ...args: never[]): Promise<never> => {
      if (!done) {
        done = true;
        await change();
      }
      return (real as (...all: never[]) => never)(...args);
    });
  };

  it('plans a record again that gained a file between plan and delete, and takes both files', async () => {
    const [a] = await fill(world.db, 2);
    const gain = () =>
      world.db
        .collection('receipts')
        .updateOne({ _id: a! }, { $push: { attachments: { key: keyOf('late') } } as never });
    const deleter = world.deleter('d1', { records: onFirst('delete', gain) });
    await deleter.requests.accept(deleteRequested('job'));
    await runToEnd(deleter, 'job');
    expect(await receiptsLeft()).toBe(0);
    expect(keysIn((await world.published()).batches)).toEqual([keyOf(0), keyOf(1), keyOf('late')].sort());
    expect((await deleter.jobs.read('job'))?.totals).toMatchObject({ succeeded: 2, objects: 3 });
  });

  it('orphans nothing when a deleted record is put back under its id with another file', async () => {
    const [a] = await fill(world.db, 1);
    const putBack = () =>
      world.db.collection('receipts').insertOne({ _id: a!, tenantId: 'acme', attachments: [{ key: keyOf('new') }] });
    const deleter = world.deleter('d1', { records: onFirst('aftermath', putBack) });
    await deleter.requests.accept(deleteRequested('job'));
    await runToEnd(deleter, 'job');
    expect(keysIn((await world.published()).batches)).toEqual([keyOf(0), keyOf('new')].sort());
    expect((await deleter.jobs.read('job'))?.totals).toMatchObject({ succeeded: 1, objects: 2 });
  });

  it('gives up on a record that changes before each delete, after three passes, and says so', async () => {
    const [a] = await fill(world.db, 1);
    let n = 0;
    const everyTime = (records: Records) =>
      intercept(records, 'delete', async (real, ...args) => {
        const key = keyOf(`change-${(n += 1)}`);
        await world.db.collection('receipts').updateOne({ _id: a! }, { $push: { attachments: { key } } as never });
        return real(...args);
      });
    const deleter = world.deleter('d1', { records: everyTime });
    await deleter.requests.accept(deleteRequested('job'));
    for (let pass = 1; pass <= 3; pass++) {
      const job = await deleter.jobs.read('job');
      await deleter.slices.run('job', job!.lanes[0].turn, null);
      const waiting = await deleter.jobs.read('job');
      expect(waiting).toMatchObject({
        state: 'running',
        lanes: [{ waiting: { cause: 'still-changing' }, pass: { stalled: pass } }],
      });
      await deleter.skipWait('job');
    }
    await runToEnd(deleter, 'job');
    expect(await receiptsLeft()).toBe(1);
    expect((await deleter.jobs.read('job'))?.totals).toMatchObject({ succeeded: 0, failed: 1 });
    const failures = batchesIn((await world.published()).events).flatMap((e) => e.data.failures);
    expect(failures).toMatchObject([{ id: a!.toHexString(), code: 'STILL_CHANGING' }]);
  });
});

describe('when workers die or freeze', () => {
  it.each(['before', 'after'] as const)(
    'completes with exact counts, whichever call was the last (%s it was made)',
    async (when) => {
      let k = 0;
      for (let died = true; died;) {
        k += 1;
        const job = `job-${when}-${k}`;
        await world.reset();
        const ids = await fill(world.db, 5);
        const receipts = world.db.collection('receipts');
        await receipts.updateOne({ _id: ids[1]! }, { $set: { previewKey: 'tenants/other/x' } });
        await receipts.updateOne({ _id: ids[2]! }, { $set: { previewKey: keyOf('shared') } });
        await receipts.insertOne({ tenantId: 'other', previewKey: keyOf('shared') });
        const fate = killedAt(k, when);
        const victim = world.deleter('victim', fate.wrappers);
        await victim.requests.accept(deleteRequested(job)).catch(expectKilled);
        if (!fate.isDead()) await runToEnd(victim, job).catch(expectKilled);
        died = fate.isDead();

        const heir = world.deleter('heir', { records: withClockAhead(10_000) });
        await heir.requests.accept(deleteRequested(job, {}, requestTime(await heir.jobs.read(job))));
        await runToEnd(heir, job);
        expect(await receiptsLeft()).toBe(1);
        const done = await heir.jobs.read(job);
        expect([k, done?.totals]).toEqual([k, { batches: 3, succeeded: 4, failed: 1, objects: 4, retained: 1 }]);
        const events = await world.own.collection('events').find().sort({ sequence: 1 }).toArray();
        const messages = events.map((e) => e['message'] as BatchDeleted);
        expect(messages.map((m) => m.sequence)).toEqual(messages.map((_, i) => i + 1));
        expect(keysIn(messages)).toEqual([keyOf(0), keyOf(2), keyOf(3), keyOf(4)]);
        const published = await world.published();
        const ofJob = published.events.filter((m) => m.subject === job);
        expect(new Set(ofJob.map((m) => m.id))).toEqual(new Set(messages.map((m) => m.id)));
        expect(new Set(keysIn(published.batches))).toEqual(new Set(keysIn(messages)));
      }
      expect(k).toBeGreaterThan(30);
    },
    180_000,
  );

  const expectKilled = (error: unknown) => {
    if (!(error instanceof Killed)) throw error;
  };
  const requestTime = (job: { requestedAt: string } | null) => (job ? new Date(job.requestedAt) : new Date());

  it('gives both copies of a turn to two workers, and counts each record once', async () => {
    await fill(world.db, 9);
    const [one, two] = [world.deleter('d1'), world.deleter('d2', { records: withClockAhead(0) })];
    await one.requests.accept(deleteRequested('job'));
    await Promise.allSettled([one.slices.run('job', 1, null), two.slices.run('job', 1, null)]);
    await runToEnd(world.deleter('d3', { records: withClockAhead(10_000) }), 'job');
    expect(await receiptsLeft()).toBe(0);
    expect((await one.jobs.read('job'))?.totals).toMatchObject({ succeeded: 9, objects: 9 });
    expect(new Set(keysIn((await world.published()).batches)).size).toBe(9);
  });

  it('keeps its place and earns no strike, though copies of its message meet it before it has a plan', async () => {
    await fill(world.db, 2);
    let answer: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (answer = resolve));
    const busy = world.deleter('busy', {
      records: (records) => intercept(records, 'page', async (real, ...args) => slow.then(() => real(...args))),
    });
    await busy.requests.accept(deleteRequested('job'));
    const slice = busy.slices.run('job', 1, null);
    const started = await until(async () => {
      const job = await busy.jobs.read('job');
      return job?.lanes[0].holder ? job : null;
    });
    await world.published();
    for (let n = 1; n <= 6; n++) await world.deleter(`d${n}`).slices.run('job', 1, null);
    await busy.slices.run('job', 1, null);
    expect(await busy.jobs.read('job')).toMatchObject({ revision: started.revision });
    const again = (await world.published()).later.map((message) => message.data);
    expect(again).toEqual(
      Array.from({ length: 7 }, () => ({ lane: 0, turn: 1, seen: started.writtenAt.toISOString() })),
    );
    answer();
    await slice;
    expect(await busy.jobs.read('job')).toMatchObject({ state: 'finished', totals: { succeeded: 2 } });
  });

  it('leaves the plan of a silent worker alone until its deadline, without starting', async () => {
    await fill(world.db, 2);
    const frozen = world.deleter('frozen', {
      records: (r) => intercept(r, 'delete', () => new Promise(() => undefined)),
    });
    await frozen.requests.accept(deleteRequested('job'));
    void frozen.slices.run('job', 1, null);
    await until(async () => (await frozen.jobs.read('job'))?.lanes[0].plan ?? null);
    await world.published();
    const before = await frozen.jobs.read('job');
    await world.deleter('heir').slices.run('job', 1, null);
    expect(await frozen.jobs.read('job')).toEqual(before);
    expect((await world.published()).later).toMatchObject([{ type: 'SliceDue', data: { turn: 1 } }]);
    expect(await receiptsLeft()).toBe(2);
  });

  it('deletes nothing when a frozen worker wakes after its plan was resolved without one of its records', async () => {
    const [a] = await fill(world.db, 2);
    const receipts = world.db.collection('receipts');
    let thaw: () => void = () => undefined;
    const ice = new Promise<void>((resolve) => (thaw = resolve));
    const frozen = world.deleter('frozen', {
      records: (r) => intercept(r, 'delete', async (real, ...args) => ice.then(() => real(...args))),
    });
    await frozen.requests.accept(deleteRequested('job'));
    const woken = frozen.slices.run('job', 1, null);
    await until(async () => (await frozen.jobs.read('job'))?.lanes[0].plan ?? null);
    await receipts.updateOne({ _id: a! }, { $push: { attachments: { key: keyOf('late') } } as never });

    // The heir dies, too, right after it resolved the plan: its own second pass must not take the record.
    const heir = world.deleter('heir', {
      jobs: (jobs) =>
        intercept(jobs, 'write', async (real, change) => {
          const written = await real(change);
          if (change.totals.succeeded > 0) throw new TransientError('JOBS_UNAVAILABLE', 'killed');
          return written;
        }),
    });
    await until(async () => {
      await heir.slices.run('job', 1, null).catch(() => undefined);
      const job = await heir.jobs.read('job');
      return job?.totals.succeeded === 1 ? job : null;
    });
    expect(await receiptsLeft()).toBe(1);
    await receipts.updateOne({ _id: a! }, { $pull: { attachments: { key: keyOf('late') } } as never });
    thaw();
    await woken.catch(() => undefined);
    expect(await receipts.countDocuments({ _id: a! })).toBe(1);
    expect((await heir.jobs.read('job'))?.totals).toMatchObject({ succeeded: 1, objects: 1 });
  }, 20_000);

  it('has its last event out though the worker died right after deciding it', async () => {
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    const mute = world.deleter('mute', {
      publisher: (p) =>
        intercept(p, 'publish', (real, message) =>
          message.type === 'DeletionFinished' ? Promise.reject(new Killed()) : real(message),
        ),
    });
    await mute.slices.run('job', 1, null).catch(() => undefined);
    expect(await deleter.jobs.read('job')).toMatchObject({ state: 'finished', outbox: [{ type: 'DeletionFinished' }] });
    await world.published();
    await deleter.watchdog.sweep(Date.now() + 60_000);
    const { slices } = await world.published();
    expect(slices).toMatchObject([{ type: 'SliceDue', subject: 'job' }]);
    await deleter.slices.run('job', (slices[0]?.data as { turn: number }).turn, null);
    expect((await world.published()).events).toMatchObject([{ type: 'DeletionFinished' }]);
    expect(await deleter.jobs.read('job')).toMatchObject({ outbox: [] });
    await deleter.watchdog.sweep(Date.now() + 120_000);
    expect((await world.published()).slices).toEqual([]);
  });

  it('publishes the current turn of a forgotten job again, and never takes one', async () => {
    const deleter = world.deleter('d1');
    for (const job of ['a', 'b', 'c']) await deleter.requests.accept(deleteRequested(job));
    await world.published();
    const before = await world.own.collection('jobs').find().toArray();
    const now = Date.now() + 60_000;
    await deleter.watchdog.sweep(now);
    expect((await world.published()).slices.map((m) => [m.subject, m.data])).toEqual(
      ['a', 'b', 'c'].map((job) => [job, { lane: 0, turn: 1 }]),
    );
    await deleter.watchdog.sweep(now + 1000);
    expect((await world.published()).slices).toEqual([]);
    await deleter.watchdog.sweep(now + 6000);
    expect((await world.published()).slices).toHaveLength(3);
    expect(await world.own.collection('jobs').find().toArray()).toEqual(before);
  });

  it('leaves a live slice its place, whatever stale turns and repeated requests come by', async () => {
    await fill(world.db, 8);
    const deleter = world.deleter('d1');
    const request = deleteRequested('job');
    await deleter.requests.accept(request);
    const midway = (records: Records) => intercept(records, 'delete', () => new Promise(() => undefined));
    void world.deleter('busy', { records: midway }).slices.run('job', 1, null);
    await until(async () => (await deleter.jobs.read('job'))?.lanes[0].plan ?? null);
    await world.published();
    const before = await deleter.jobs.read('job');
    await deleter.slices.run('job', 7, null);
    await deleter.requests.accept(request);
    expect(await deleter.jobs.read('job')).toMatchObject({ revision: before?.revision, outbox: before?.outbox });
    expect(await world.published()).toEqual({ slices: [], later: [], batches: [], events: [] });
  });

  it('is not taken for dead while a read takes longer than the watchdog waits', async () => {
    await fill(world.db, 2);
    let answer: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (answer = resolve));
    const deleter = world.deleter('d1', {
      records: (records) => intercept(records, 'page', async (real, ...args) => slow.then(() => real(...args))),
    });
    await deleter.requests.accept(deleteRequested('job'));
    const slice = deleter.slices.run('job', 1, null);
    const started = await until(async () => {
      const job = await deleter.jobs.read('job');
      return job?.lanes[0].attempt === 1 ? job : null;
    });
    await world.published();
    const overdueAt = started.writtenAt.getTime() + 7000;
    await until(() => Promise.resolve(Date.now() > overdueAt ? true : null));
    await deleter.watchdog.sweep(Date.now());
    expect((await world.published()).slices).toEqual([]);
    answer();
    await slice;
    expect(await deleter.jobs.read('job')).toMatchObject({
      totals: { succeeded: 2 },
      lanes: [{ turn: 2, strikes: 0 }],
    });
  }, 20_000);

  it('waits, and never fails, while the clock refuses its deletes: the store is slow, nobody died', async () => {
    await fill(world.db, 2);
    const late = (n: number) => {
      const ahead = withClockAhead(n * 30_000);
      const records = (r: Records) => intercept(ahead(r), 'delete', () => Promise.resolve({ answered: false }));
      return world.deleter('d1', { records });
    };
    await late(0).requests.accept(deleteRequested('job'));
    for (let n = 1; n <= 8; n++) {
      await late(n).skipWait('job');
      await late(n).slices.run('job', 1, null);
      expect(await late(n).jobs.read('job')).toMatchObject({
        state: 'running',
        lanes: [{ attempt: n, strikes: 0, waiting: { cause: 'store', error: { code: 'RECORDS_SLOW' } } }],
      });
    }
    await runToEnd(world.deleter('d2', { records: withClockAhead(600_000) }), 'job');
    expect(await receiptsLeft()).toBe(0);
  });

  it('takes a plan over though each of its own writes takes longer than a plan may be deleted by', async () => {
    await fill(world.db, 2);
    const dead = world.deleter('dead', { records: (r) => intercept(r, 'delete', () => new Promise(() => undefined)) });
    await dead.requests.accept(deleteRequested('job'));
    void dead.slices.run('job', 1, null);
    await until(async () => (await dead.jobs.read('job'))?.lanes[0].plan ?? null);
    const slow = world.deleter('slow', {
      jobs: (jobs) =>
        intercept(jobs, 'write', async (real, change) => {
          await passed(new Date(Date.now() + 1300));
          return real(change);
        }),
    });
    await passed(planDeadline((await dead.jobs.read('job'))!.lanes[0].plan!));
    await slow.slices.run('job', 1, null);
    expect((await slow.jobs.read('job'))?.totals).toMatchObject({ succeeded: 2 });
  }, 30_000);

  it('fails no job because its own store went away at each start, before or after the start was written', async () => {
    await fill(world.db, 2);
    let confirms = false;
    const flaky = world.deleter('flaky', {
      jobs: (jobs) =>
        intercept(jobs, 'write', async (real, change) => {
          if (change.lanes[0].holder === null) throw new TransientError('JOBS_UNAVAILABLE', 'away');
          const written = await real(change);
          if (!confirms) throw new TransientError('JOBS_UNAVAILABLE', 'written, but nobody says so');
          return written;
        }),
      records: (records) =>
        intercept(records, 'page', () => Promise.reject(new TransientError('RECORDS_UNAVAILABLE', 'away, too'))),
    });
    const healthy = world.deleter('d2');
    await healthy.requests.accept(deleteRequested('job'));
    for (let n = 1; n <= 12; n++) {
      confirms = n > 6;
      await expect(flaky.slices.run('job', 1, null)).rejects.toBeInstanceOf(TransientError);
    }
    expect(await flaky.jobs.read('job')).toMatchObject({ state: 'running', lanes: [{ attempt: 12, strikes: 0 }] });
    await runToEnd(healthy, 'job');
    expect(await receiptsLeft()).toBe(0);
  });

  it('tells the batch it has deleted though the next page cannot be read', async () => {
    await fill(world.db, 4);
    const deleter = stopsAfterOneBatch('d1');
    await deleter.requests.accept(deleteRequested('job'));
    await deleter.slices.run('job', 1, null);
    expect(await deleter.jobs.read('job')).toMatchObject({
      totals: { succeeded: 2 },
      lanes: [{ plan: null, waiting: { cause: 'store' } }],
    });
    expect(batchesIn((await world.published()).events)).toMatchObject([{ data: { count: 2 } }]);
  });

  it('waits while the cleaner has too much before it, in a tier or not, and then goes on', async () => {
    await fill(world.db, 4);
    const cleaners = workQueues.storageCleanerBatches.name;
    const request = deleteRequested('job', { options: { batchSize: 1 } });
    await stopsAfterOneBatch('d0').requests.accept(request);
    await stopsAfterOneBatch('d0').slices.run('job', 1, null);
    expect(await receiptsLeft()).toBe(3);
    const deleter = world.deleter('d1', { maxPendingObjects: 3 });
    for (let n = 0; n < 3; n++) await world.publisher.send(cleaners, request, { tier: 30 });
    await deleter.skipWait('job');
    await deleter.slices.run('job', 1, null);
    expect(await deleter.jobs.read('job')).toMatchObject({
      state: 'running',
      lanes: [{ plan: null, waiting: { cause: 'purge-backlog', error: { code: 'PURGE_BACKLOG' } } }],
    });
    expect(await receiptsLeft()).toBe(3);
    await world.purge(`${cleaners}.retry.30s`);
    await deleter.skipWait('job');
    // What a look found holds for a second.
    await world.deleter('d1', { maxPendingObjects: 3 }).slices.run('job', 1, null);
    expect(await receiptsLeft()).toBe(0);
  });

  it('fails after five attempts that ended badly, and first tells the keys of what was deleted', async () => {
    await fill(world.db, 4);
    const broken = (ahead: number) =>
      world.deleter('d1', {
        records: (records) =>
          intercept(withClockAhead(ahead)(records), 'delete', async (real, ...args) => {
            await real(...args);
            throw new Error('something nobody thought of');
          }),
      });
    await broken(0).requests.accept(deleteRequested('job'));
    for (let n = 1; n <= 6; n++) {
      await broken(n * 20_000).skipWait('job');
      await broken(n * 20_000).slices.run('job', 1, null);
    }
    expect(await broken(0).jobs.read('job')).toMatchObject({
      state: 'failed',
      outbox: [],
      totals: { succeeded: 2, objects: 2 },
    });
    const { events } = await world.published();
    expect(events.map((e) => e.type).slice(-2)).toEqual(['BatchDeleted', 'DeletionFailed']);
    expect(keysIn(events)).toEqual([keyOf(0), keyOf(1)]);
    expect(await receiptsLeft()).toBe(2);
  });
});

/** Reads one page and no other. */
function stopsAfterOneBatch(instance: string): Deleter {
  let pages = 0;
  return world.deleter(instance, {
    records: (records) =>
      intercept(records, 'page', (real, ...args) =>
        (pages += 1) === 1 ? real(...args) : Promise.reject(new TransientError('RECORDS_UNAVAILABLE', 'no page')),
      ),
  });
}
