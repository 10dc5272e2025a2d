import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type AnyMessage,
  CancelRequested,
  type ControlRequest,
  PauseRequested,
  RateChangeRequested,
  ResumeRequested,
  RetryRequested,
} from '@expunge/contracts';
import { ConflictError, TransientError } from '@expunge/messaging';
import { type DeletionJob, planDeadline } from '../src/deletion-job/deletion-job.js';
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

const definitions = { PauseRequested, ResumeRequested, CancelRequested, RetryRequested, RateChangeRequested };
let made = 0;

function asked(type: keyof typeof definitions, time = new Date(), rate: number | null = null): ControlRequest {
  made += 1;
  const fields = { id: `job:${type}:${made}`, source: 'urn:expunge:api', subject: 'job', tenantid: 'acme' };
  const data = { requestedBy: 'ann', reason: 'wrong month', maxRecordsPerSecond: rate };
  return definitions[type].create({ ...fields, time: time.toISOString(), data });
}

const receiptsLeft = () => world.db.collection('receipts').countDocuments({ tenantId: 'acme' });
const jobOf = async (deleter: Deleter): Promise<DeletionJob> => (await deleter.jobs.read('job'))!;
const said = (messages: AnyMessage[]) => messages.map((message) => message.type);
const seen = (job: DeletionJob) => job.writtenAt.toISOString();
const ahead = (records: Records) => withClockAhead(10_000)(records);

/** A deleter whose n-th delete does not begin before it is let go. */
function held(instance: string, n = 1) {
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  let deletes = 0;
  const deleter = world.deleter(instance, {
    records: (records) =>
      intercept(records, 'delete', async (real, ...args) => {
        deletes += 1;
        if (deletes === n) await gate;
        return real(...args);
      }),
  });
  return { deleter, letGo: () => letGo(), atIt: () => until(() => Promise.resolve(deletes >= n ? true : null)) };
}

async function workingOn(records: number, n = 1) {
  await fill(world.db, records);
  const worker = held('busy', n);
  await worker.deleter.requests.accept(deleteRequested('job'));
  const slice = worker.deleter.slices.run('job', 1, null);
  await worker.atIt();
  await world.published();
  return { ...worker, slice };
}

describe('a pause', () => {
  it('takes effect with the batch under way: its own worker resolves that and answers at once', async () => {
    const { letGo, slice } = await workingOn(6, 2);
    const other = world.deleter('d2');
    await other.control.take(asked('PauseRequested'));
    expect(await jobOf(other)).toMatchObject({ state: 'pausing', totals: { succeeded: 2 } });
    letGo();
    await slice;
    expect(await jobOf(other)).toMatchObject({ state: 'paused', pending: null, outbox: [], totals: { succeeded: 4 } });
    const { events, slices } = await world.published();
    expect(said(events).slice(-2)).toEqual(['BatchDeleted', 'DeletionPaused']);
    expect(events.at(-1)?.data).toMatchObject({ by: 'ann', reason: 'wrong month', totals: { succeeded: 4 } });
    expect(slices).toEqual([]);
    expect(await receiptsLeft()).toBe(2);
  });

  it('is answered by whoever took it where no batch is under way', async () => {
    await fill(world.db, 4);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    await deleter.control.take(asked('PauseRequested'));
    expect(await jobOf(deleter)).toMatchObject({ state: 'paused', totals: { succeeded: 0 } });
    await deleter.slices.run('job', 1, null);
    await deleter.slices.run('job', 2, null);
    expect(await receiptsLeft()).toBe(4);
  });

  it('is answered after the deadline of a worker that died with its batch, by a slice that only reads', async () => {
    const { deleter: dead } = await workingOn(4);
    const heir = world.deleter('heir');
    await heir.control.take(asked('PauseRequested'));
    const { later } = await world.published();
    expect(later).toMatchObject([{ type: 'SliceDue', data: { turn: 2 } }]);
    await world.deleter('later', { records: ahead }).slices.run('job', 2, null);
    expect(await jobOf(dead)).toMatchObject({ state: 'paused', totals: { succeeded: 0 }, lanes: [{ plan: null }] });
    expect(await receiptsLeft()).toBe(4);
  });

  it('lets a resumed job go on at its cursor, and counts each record once', async () => {
    const { deleter, letGo, slice } = await workingOn(9, 2);
    await deleter.control.take(asked('PauseRequested'));
    letGo();
    await slice;
    await world.published();
    await deleter.control.take(asked('ResumeRequested'));
    const { slices, events } = await world.published();
    expect(said(events)).toEqual(['DeletionResumed']);
    expect(slices).toMatchObject([{ data: { turn: (await jobOf(deleter)).lanes[0].turn } }]);
    await runToEnd(deleter, 'job');
    expect((await jobOf(deleter)).totals).toMatchObject({ succeeded: 9, objects: 9, batches: 5 });
    expect(await receiptsLeft()).toBe(0);
  });

  it('goes on when its message comes again after its worker fenced the job and died', async () => {
    await fill(world.db, 2);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    const request = asked('PauseRequested');
    const dying = world.deleter('dying', {
      jobs: (jobs) => intercept(jobs, 'write', () => Promise.reject(new Killed())),
    });
    await expect(dying.control.take(request)).rejects.toBeInstanceOf(Killed);
    expect(await jobOf(deleter)).toMatchObject({ state: 'pausing', pending: { id: request.id } });
    await deleter.control.take(request);
    expect(await jobOf(deleter)).toMatchObject({ state: 'paused', pending: null });
  });

  it('is looked after by the watchdog when its worker fenced the job and its message was lost', async () => {
    await fill(world.db, 2);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    const dying = world.deleter('dying', {
      jobs: (jobs) => intercept(jobs, 'write', () => Promise.reject(new Killed())),
    });
    await dying.control.take(asked('PauseRequested')).catch(() => undefined);
    await world.published();
    await deleter.watchdog.sweep(Date.now() + 60_000);
    expect((await world.published()).slices).toMatchObject([{ data: { turn: 2 } }]);
    await deleter.slices.run('job', 2, null);
    expect(await jobOf(deleter)).toMatchObject({ state: 'paused' });
  });

  it('holds though its worker died with the answer in the outbox and the watchdog published the turn', async () => {
    await fill(world.db, 2);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    const mute = world.deleter('mute', {
      publisher: (publisher) => intercept(publisher, 'publish', () => Promise.reject(new Killed())),
    });
    await mute.control.take(asked('PauseRequested')).catch(() => undefined);
    expect(await jobOf(deleter)).toMatchObject({ state: 'paused', outbox: [{ type: 'DeletionPaused' }] });
    await world.published();
    await deleter.watchdog.sweep(Date.now() + 60_000);
    const [slice] = (await world.published()).slices;
    await deleter.slices.run('job', (slice?.data as { turn: number }).turn, null);
    expect(await jobOf(deleter)).toMatchObject({ state: 'paused', outbox: [], lanes: [{ plan: null }] });
    expect(said((await world.published()).events)).toEqual(['DeletionPaused']);
    expect(await receiptsLeft()).toBe(2);
  });

  it('that comes again after a resume changes nothing, and its answer is told again', async () => {
    await fill(world.db, 2);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    const [pause, late, resume] = [asked('PauseRequested'), asked('PauseRequested'), asked('ResumeRequested')];
    await deleter.control.take(pause);
    await deleter.control.take(resume);
    await world.published();
    const before = await jobOf(deleter);
    await deleter.control.take(pause);
    await deleter.control.take({
      ...late,
      time: new Date(Date.parse(resume.time) - 1).toISOString(),
    });
    const { state, lanes, totals } = await jobOf(deleter);
    expect([state, lanes[0].plan, totals]).toEqual([before.state, null, before.totals]);
    // The refusal stands in the outbox of a job under way, whose slice brings it out.
    await deleter.slices.run('job', lanes[0].turn, null);
    const { events } = await world.published();
    const answers = events.filter(({ data }) => 'requestId' in data);
    expect(answers.map(({ type, data }) => [type, (data as { requestId: string }).requestId])).toEqual([
      ['DeletionPaused', pause.id],
      ['RequestRefused', late.id],
    ]);
    expect(answers[1]?.data).toMatchObject({ reason: 'superseded' });
  });
});

describe('a cancel', () => {
  it('wins against a slice that writes without pause, and nothing goes after it', async () => {
    await fill(world.db, 400);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    const slice = deleter.slices.run('job', 1, null);
    await until(async () => ((await jobOf(deleter)).totals.succeeded > 20 ? true : null));
    await world.deleter('d2').control.take(asked('CancelRequested'));
    await slice.catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error;
    });
    const job = await jobOf(deleter);
    expect(job).toMatchObject({ state: 'cancelled', lanes: [{ plan: null }] });
    expect(await receiptsLeft()).toBe(400 - job.totals.succeeded);
    for (const turn of [1, 2, 3]) await deleter.slices.run('job', turn, null);
    expect(await receiptsLeft()).toBe(400 - job.totals.succeeded);
  });

  it('displaces a pause that is pending, which is told so, and is not displaced by one', async () => {
    const { deleter, letGo, slice } = await workingOn(4);
    const [pause, cancel, late] = [asked('PauseRequested'), asked('CancelRequested'), asked('PauseRequested')];
    await deleter.control.take(pause);
    await deleter.control.take(cancel);
    expect(await jobOf(deleter)).toMatchObject({ state: 'cancelling', pending: { id: cancel.id } });
    await expect(deleter.control.take(late)).rejects.toMatchObject({ code: 'REQUEST_PENDING' });
    letGo();
    await slice;
    await deleter.control.take(late);
    const { events } = await world.published();
    const answers = events.filter(({ type }) => type !== 'BatchDeleted');
    expect(answers.map(({ type, data }) => [type, (data as { requestId: string; reason: string }).requestId])).toEqual([
      ['RequestRefused', pause.id],
      ['DeletionCancelled', cancel.id],
      ['RequestRefused', late.id],
    ]);
    expect(await jobOf(deleter)).toMatchObject({ state: 'cancelled', totals: { succeeded: 2 } });
    await world.published();
    await deleter.control.take(pause);
    expect((await world.published()).events).toMatchObject([
      { type: 'RequestRefused', data: { reason: 'superseded' } },
    ]);
  });

  it('deletes nothing when a frozen worker wakes after it, though its records are as they were planned', async () => {
    const { deleter, letGo, slice } = await workingOn(4);
    await deleter.control.take(asked('CancelRequested'));
    await passed(planDeadline((await jobOf(deleter)).lanes[0].plan!));
    await world.deleter('heir').slices.run('job', 2, null);
    expect(await jobOf(deleter)).toMatchObject({ state: 'cancelled', totals: { succeeded: 0 } });
    letGo();
    await slice.catch(() => undefined);
    expect(await receiptsLeft()).toBe(4);
    expect(await jobOf(deleter)).toMatchObject({ state: 'cancelled', totals: { succeeded: 0 } });
  }, 20_000);

  it('that comes before the job leaves one that its request finds cancelled', async () => {
    await fill(world.db, 2);
    const deleter = world.deleter('d1');
    const cancel = asked('CancelRequested');
    await deleter.control.take(cancel);
    await deleter.control.take(cancel);
    await deleter.requests.accept(deleteRequested('job'));
    await deleter.slices.run('job', 1, null);
    expect(await receiptsLeft()).toBe(2);
    expect(await jobOf(deleter)).toMatchObject({ state: 'cancelled', outbox: [] });
    const { events, slices } = await world.published();
    expect(events.map(({ type, sequence }) => [type, sequence])).toEqual([
      ['DeletionCancelled', 1],
      ['DeletionCancelled', 1],
    ]);
    expect(slices).toEqual([]);
    await deleter.requests.accept({ ...deleteRequested('job'), tenantid: 'other' });
    expect((await world.published()).events).toMatchObject([{ type: 'RequestRefused', data: { reason: 'conflict' } }]);
  });
});

describe('a rate', () => {
  const spans = (gone: { at: number; records: number }[]) =>
    Math.max(...gone.map(({ at }) => sum(gone.filter((one) => one.at >= at && one.at < at + 1000))));
  const sum = (gone: { records: number }[]) => gone.reduce((all, { records }) => all + records, 0);

  /** When the records server had deleted how many. */
  function watched(instance: string) {
    const gone: { at: number; records: number }[] = [];
    const deleter = world.deleter(instance, {
      records: (records) =>
        intercept(records, 'delete', async (real, resource, scope, plan, clock) => {
          const outcome = await real(resource, scope, plan, clock);
          gone.push({ at: Date.now(), records: plan.records.length });
          return outcome;
        }),
    });
    return { deleter, gone };
  }

  it('is kept from the first batch to the last, over slices and workers', async () => {
    await fill(world.db, 60);
    const { deleter, gone } = watched('d1');
    const options = { batchSize: 50, maxRecordsPerSecond: 20 };
    await deleter.requests.accept(deleteRequested('job', { options }));
    await runToEnd(deleter, 'job');
    expect(sum(gone)).toBe(60);
    expect(gone.map(({ records }) => records)).toEqual([10, 10, 10, 10, 10, 10]);
    expect(spans(gone)).toBeLessThanOrEqual(20);
  }, 20_000);

  it('changes while the job runs, and is told', async () => {
    await fill(world.db, 40);
    const { deleter, gone } = watched('d1');
    await deleter.requests.accept(deleteRequested('job', { options: { batchSize: 2, maxRecordsPerSecond: 4 } }));
    const slice = deleter.slices.run('job', 1, null);
    await until(() => Promise.resolve(gone.length > 0 ? true : null));
    await deleter.control.take(asked('RateChangeRequested', new Date(), null));
    await slice.catch(() => undefined);
    expect(await jobOf(deleter)).toMatchObject({ state: 'running', maxRecordsPerSecond: null, pending: null });
    await runToEnd(deleter, 'job');
    expect((await jobOf(deleter)).totals).toMatchObject({ succeeded: 40 });
    const changed = (await world.published()).events.find(({ type }) => type === 'RateChanged');
    expect(changed?.data).toMatchObject({ maxRecordsPerSecond: null, by: 'ann' });
  }, 20_000);
});

describe('a request', () => {
  it('that was fenced out by a later one is refused, though it had read the job before', async () => {
    await fill(world.db, 2);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    const [early, late] = [new Date(), new Date(Date.now() + 10)];
    const between = () => deleter.control.take(asked('RateChangeRequested', late, 10));
    let overtaken = false;
    const slow = world.deleter('slow', {
      jobs: (jobs) =>
        intercept(jobs, 'fence', async (real, ...args) => {
          if (!overtaken) {
            overtaken = true;
            await between();
          }
          return real(...args);
        }),
    });
    await slow.control.take(asked('RateChangeRequested', early, 50));
    expect(await jobOf(deleter)).toMatchObject({ maxRecordsPerSecond: 10, pending: null });
  });

  it('that was refused stays refused, whatever becomes of the job', async () => {
    await fill(world.db, 2);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    const resume = asked('ResumeRequested');
    await deleter.control.take(resume);
    await deleter.control.take(asked('PauseRequested', new Date(Date.parse(resume.time) - 1)));
    expect(await jobOf(deleter)).toMatchObject({ state: 'paused' });
    await world.published();
    await deleter.control.take(resume);
    expect(await jobOf(deleter)).toMatchObject({ state: 'paused' });
    expect((await world.published()).events).toMatchObject([
      { type: 'RequestRefused', data: { requestId: resume.id, reason: 'not-allowed' } },
    ]);
  });

  it('fails the job, and is refused, where the batch before it cannot be looked after', async () => {
    const { deleter: dead } = await workingOn(4);
    const cancel = asked('CancelRequested');
    await dead.control.take(cancel);
    const denied = (n: number) =>
      world.deleter('denied', {
        records: (records) =>
          intercept(withClockAhead(n * 40_000)(records), 'aftermath', () => Promise.reject(new Error('denied'))),
      });
    for (let n = 1; n <= 5; n++) {
      await world.own
        .collection<{ _id: string }>('jobs')
        .updateOne(
          { _id: 'job', 'pending.waiting': { $type: 'object' } },
          { $set: { 'pending.waiting.retryAt': new Date(0) } },
        );
      await denied(n).slices.run('job', 2, null);
    }
    expect(await jobOf(dead)).toMatchObject({ state: 'failed', pending: null, outbox: [] });
    const { events } = await world.published();
    expect(said(events).slice(-2).sort()).toEqual(['DeletionFailed', 'RequestRefused']);
    expect(events.filter(({ type }) => type === 'BatchDelayed')).toHaveLength(4);
    // The plan still stands, with its keys: whoever retries or cancels resolves it.
    await world.deleter('allowed', { records: withClockAhead(400_000) }).control.take(asked('CancelRequested'));
    expect(await jobOf(dead)).toMatchObject({ state: 'cancelled', lanes: [{ plan: null }] });
    expect(await receiptsLeft()).toBe(4);
  });
});

describe('a retry', () => {
  it('goes on with a failed job at its cursor', async () => {
    await fill(world.db, 6);
    const deleter = world.deleter('d1');
    await deleter.requests.accept(deleteRequested('job'));
    const broken = (n: number) =>
      world.deleter('broken', {
        records: (records) =>
          intercept(withClockAhead(n * 20_000)(records), 'delete', (real, ...args) => {
            const isLater = args[2].records.some(({ keys }) => keys.includes(keyOf(3)));
            return isLater ? Promise.reject(new Error('refused')) : real(...args);
          }),
      });
    for (let n = 1; n <= 6; n++) {
      await deleter.skipWait('job');
      await broken(n).slices.run('job', 1, null);
    }
    const failed = await jobOf(deleter);
    expect(failed).toMatchObject({ state: 'failed', totals: { succeeded: 2 } });
    await world.published();
    await deleter.control.take(asked('RetryRequested'));
    const { events, slices } = await world.published();
    expect(events).toMatchObject([{ type: 'DeletionResumed', data: { requestType: 'RetryRequested' } }]);
    expect(slices).toHaveLength(1);
    expect((await jobOf(deleter)).lanes[0].cursor).toBe(failed.lanes[0].cursor);
    await runToEnd(world.deleter('d2', { records: withClockAhead(200_000) }), 'job');
    expect((await jobOf(deleter)).totals).toMatchObject({ succeeded: 6, objects: 6 });
    expect(await receiptsLeft()).toBe(0);
  }, 20_000);
});

it('a request for a job that is not there is waited for as long as stores are, then refused', async () => {
  const deleter = world.deleter('d1');
  await expect(deleter.control.take(asked('PauseRequested'))).rejects.toBeInstanceOf(TransientError);
  const old = asked('PauseRequested', new Date(Date.now() - 61_000));
  await deleter.control.take(old);
  expect((await world.published()).events).toMatchObject([
    { type: 'RequestRefused', data: { requestId: old.id, reason: 'unknown-job' } },
  ]);
});

it('a request of another tenant finds no job', async () => {
  await fill(world.db, 2);
  const deleter = world.deleter('d1');
  await deleter.requests.accept(deleteRequested('job'));
  await deleter.control.take({ ...asked('CancelRequested'), tenantid: 'other' });
  expect(await jobOf(deleter)).toMatchObject({ state: 'running' });
});

it.each(['PauseRequested', 'CancelRequested'] as const)(
  'a %s is answered once, and nothing goes after it, whichever call of its worker was the last',
  async (type) => {
    const state = type === 'PauseRequested' ? 'paused' : 'cancelled';
    let k = 0;
    for (let died = true; died;) {
      k += 1;
      for (const when of ['before', 'after'] as const) {
        await world.reset();
        await fill(world.db, 6);
        const healthy = world.deleter('healthy');
        await healthy.requests.accept(deleteRequested('job'));
        const request = asked(type);
        const fate = killedAt(k, when);
        const victim = world.deleter('victim', fate.wrappers);
        const slice = victim.slices.run('job', 1, null).catch(expectKilled);
        await until(async () => {
          const { state: now, lanes } = await jobOf(healthy);
          return lanes[0].holder !== null || now !== 'running' || fate.isDead() ? true : null;
        });
        await victim.control.take(request).catch(expectKilled);
        await slice;
        died = fate.isDead();

        const heir = world.deleter('heir', { records: ahead });
        await heir.control.take(request);
        for (let n = 0; n < 3; n++) {
          const job = await jobOf(heir);
          await heir.slices.run('job', job.lanes[0].turn, seen(job));
        }
        const job = await jobOf(heir);
        expect([k, when, job.state, job.pending, job.outbox]).toEqual([k, when, job.state, null, []]);
        // The job may have ended before the request.
        expect([state, 'finished']).toContain(job.state);
        const left = await receiptsLeft();
        expect(left).toBe(6 - job.totals.succeeded);
        await victim.slices.run('job', job.lanes[0].turn, seen(job)).catch(expectKilled);
        expect(await receiptsLeft()).toBe(left);
        const events = await world.own.collection('events').find({ answers: request.id }).toArray();
        if (job.state === state) expect(events).toHaveLength(1);
        await world.published();
      }
    }
    expect(k).toBeGreaterThan(12);
  },
  240_000,
);

const expectKilled = (error: unknown) => {
  if (!(error instanceof Killed) && !(error instanceof ConflictError)) throw error;
};
