import {
  type DeleteRequest,
  DeleteRequested,
  deleteRequestedId,
  EventsWanted,
  ObjectsPurged,
  parkedQueue,
  SliceDue,
  sliceId,
  workQueues,
} from '@expunge/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConfirmChannel } from 'amqplib';
import { jobIdOfKey } from '../../services/api/src/acceptance/acceptance.js';
import { atBroker, messagesIn } from '../support/broker.js';
import { expectAllGone, type JobUnderWay, jobUnderWay } from '../support/job-under-way.js';
import { seen } from '../support/seen.js';
import { type ShownParked, System } from '../support/system.js';

const { deleterJobs, deleterSlices, storageCleanerBatches, monitorEvents } = workQueues;
const queues = Object.values(workQueues).map(({ name }) => name);
const RECORDS = 150;
const AT = '2026-11-23T12:00:00.000Z';
const TEN_MB = 10_000_000;

let system: System;
beforeAll(async () => {
  system = await System.start();
}, 120_000);
afterAll(() => system.stop(), 60_000);

const about = (subject: string) => ({ id: `${subject}:poison`, source: '/test', subject, tenantid: 'acme', time: AT });
const nobodys = about('no-such-job');
const sound = {
  [deleterJobs.name]: EventsWanted.create({ ...nobodys, data: { after: 0 } }),
  [deleterSlices.name]: SliceDue.create({ ...nobodys, data: { lane: 0, turn: 1 } }),
  [storageCleanerBatches.name]: ObjectsPurged.create({
    ...nobodys,
    data: { batch: 1, positions: [[0, 0]], instance: 'x' },
  }),
  [monitorEvents.name]: ObjectsPurged.create({
    ...nobodys,
    data: { batch: 1, positions: [[0, 0]], instance: 'x' },
  }),
};

/** What each queue is sent, and why it is parked. */
const poison = queues.map((queue) => {
  const message = sound[queue];
  const { type, dataschema } = message;
  const bodies: [body: unknown, reason: RegExp][] = [
    ['{"specversion": "1.0", ', /^the body is not JSON$/],
    [{ pattern: 'x', data: 1 }, /^no CloudEvents 1\.0 document: /],
    [
      { ...message, data: { turn: 'x', positions: 'x', after: -1 } },
      new RegExp(`^${type} data\\.(lane|batch|after): `),
    ],
    [{ ...message, dataschema: `${dataschema}9` }, new RegExp(`^unknown version ${dataschema}9, this service reads `)],
    [{ ...message, type: 'Unheard' }, /^unknown type Unheard$/],
    [Buffer.alloc(TEN_MB, 'x'), /^the body has 10000000 bytes, more than 8388608$/],
  ];
  if (queue === deleterSlices.name) bodies.push([message, /^NotFoundError: there is no job no-such-job$/]);
  if (queue === storageCleanerBatches.name)
    bodies.push([message, /^ValidationError: ObjectsPurged asks for no purge$/]);
  if (queue === deleterJobs.name) {
    bodies.push([sound[monitorEvents.name], /^ValidationError: this deleter does not answer ObjectsPurged$/]);
  }
  if (queue === monitorEvents.name) {
    const ranges = [[0, Number.MAX_SAFE_INTEGER]];
    const far = { ...message, data: { batch: 1, positions: ranges, instance: 'x' } };
    bodies.push([far, /^ObjectsPurged data\.positions: no batch has 10000000 objects$/]);
  }
  return { queue, bodies };
});

async function send(channel: ConfirmChannel, queue: string, body: unknown): Promise<void> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  channel.sendToQueue(queue, bytes, { persistent: true });
  await channel.waitForConfirms();
}

const reasonsOf = (shown: { messages: { reason: string }[] } | undefined) =>
  (shown?.messages ?? []).map(({ reason }) => reason).sort();
const lastOf = ({ messages }: ShownParked) =>
  messages
    .map(({ parked_at }) => parked_at ?? '')
    .sort()
    .at(-1) ?? '';
const expectedIn = (queue: string) => poison.find((one) => one.queue === queue)!.bodies.length;
const allParked = () =>
  seen('all poison is parked', async () => {
    const shown = await system.parked();
    // A list ends after some seconds, whatever it has by then.
    const isWhole = ({ count, messages }: ShownParked, n: number) => count === n && messages.length === n;
    return queues.every((queue) => isWhole(shown[queue]!, expectedIn(queue))) && shown;
  });

describe('poison in every work queue', () => {
  let job: JobUnderWay;

  it('is parked with the reason within seconds, and a job under way goes on and completes', async () => {
    job = await jobUnderWay(system, RECORDS);
    await atBroker(system, async (channel) => {
      for (const { queue, bodies } of poison) for (const [body] of bodies) await send(channel, queue, body);
    });
    const shown = await allParked();
    for (const { queue, bodies } of poison) {
      const reasons = reasonsOf(shown[queue]);
      for (const [, reason] of bodies) expect(reasons.filter((one) => reason.test(one))).toHaveLength(1);
      expect(shown[queue]!.messages.map(({ size }) => size)).toContain(TEN_MB);
      for (const { parked_at } of shown[queue]!.messages) expect(Date.parse(parked_at ?? '')).not.toBeNaN();
    }
    expect(shown[deleterSlices.name]!.messages).toContainEqual(
      expect.objectContaining({ message_id: nobodys.id, type: 'SliceDue', job: 'no-such-job', tenant: 'acme' }),
    );
    await expectAllGone(system, job);
  });

  it('is put back, and parked again for the same reason as a first attempt, each once', async () => {
    const before = await allParked();
    const another = await jobUnderWay(system, RECORDS);
    const replayed = Object.fromEntries(queues.map((queue) => [queue, 0]));
    const replay = async (queue: string) => {
      const once = (await system.replay(queue, 1000)).replayed;
      expect(once).toBeLessThanOrEqual(expectedIn(queue));
      replayed[queue]! += once;
    };
    for (const queue of queues) await replay(queue);
    const after = await seen('it is parked again', async () => {
      const shown = await allParked();
      const isLater = (queue: string) =>
        shown[queue]!.messages.every(({ parked_at }) => (parked_at ?? '') > lastOf(before[queue]!));
      // What a monitor held, to look at it, in that moment.
      const left = queues.filter((queue) => !isLater(queue));
      for (const queue of left) await replay(queue);
      return left.length === 0 && shown;
    });
    for (const queue of queues) {
      expect(replayed[queue]).toBeGreaterThanOrEqual(expectedIn(queue));
      expect(reasonsOf(after[queue])).toEqual(reasonsOf(before[queue]));
      expect(after[queue]!.messages.map(({ attempt }) => attempt)).toEqual(before[queue]!.messages.map(() => 1));
    }
    await expectAllGone(system, another);
  });
});

describe('a message of a job that nobody knows', () => {
  it('is parked where it needs the job, and goes through when it is put back once there is the job', async () => {
    const tenant = system.newTenant();
    const key = 'poison-1';
    const id = jobIdOfKey(tenant, key);
    const slice = SliceDue.create({ ...about(id), id: sliceId(id, 0, 1), data: { lane: 0, turn: 1 } });
    await atBroker(system, (channel) => send(channel, deleterSlices.name, slice));
    const isParked = async () => (await system.parked())[deleterSlices.name]!.messages.some(({ job }) => job === id);
    await seen('it is parked', isParked);
    await system.fill(tenant, 20, 1);
    expect(await system.request(tenant, { selection: { all: true } }, { 'idempotency-key': key })).toBe(id);
    await system.untilEnded(tenant, id);
    await seen('it is put back, whoever held it to look at it', async () => {
      await system.replay(deleterSlices.name, 1000);
      return (await messagesIn(system, parkedQueue(deleterSlices.name))) === expectedIn(deleterSlices.name);
    });
    const shown = await allParked();
    expect(shown[deleterSlices.name]!.messages.map(({ job }) => job)).not.toContain(id);
    const job = await system.untilEnded(tenant, id);
    expect(job).toMatchObject({ status: 'completed', progress: { succeeded: 20, objects: { purged: 20 } } });
    expect(await system.left(tenant)).toEqual({ ids: [], keys: [] });
  });

  it('harms nobody where it needs none', async () => {
    const job = await jobUnderWay(system, RECORDS);
    const ranges: [number, number][] = [[1, Number.MAX_SAFE_INTEGER]];
    const wanted = EventsWanted.create({ ...nobodys, data: { sequences: ranges, batches: ranges } });
    await atBroker(system, async (channel) => {
      await send(channel, monitorEvents.name, { ...sound[monitorEvents.name], sequence: Number.MAX_SAFE_INTEGER });
      await send(channel, deleterJobs.name, wanted);
    });
    await expectAllGone(system, job);
    await allParked();
  });
});

describe('an event that a monitor before its upgrade could not read', () => {
  it('is folded as any other when it is put back', async () => {
    const tenant = system.newTenant();
    await system.fill(tenant, 5, 1);
    const first = await system.request(tenant, { selection: { all: true } });
    await system.untilEnded(tenant, first);
    const request = (await system.heardOf(first)).find(({ type }) => type === 'DeleteRequested')!;
    const time = new Date().toISOString();
    const id = jobIdOfKey(tenant, 'read after the upgrade');
    const event = DeleteRequested.create({
      ...about(id),
      id: deleteRequestedId(id),
      tenantid: tenant,
      time,
      data: request.data as unknown as DeleteRequest,
    });
    await atBroker(system, (channel) => send(channel, parkedQueue(monitorEvents.name), event));
    // A monitor may hold it at this moment, to see whose it is.
    const isShown = async () => (await system.parked())[monitorEvents.name]!.messages.some(({ job }) => job === id);
    await seen('it is shown as parked', isShown);
    expect(await system.job(tenant, id)).toBeNull();
    await seen('it is put back and folded', async () => {
      await system.replay(monitorEvents.name, 1000);
      return (await system.job(tenant, id)) !== null;
    });
  });
});
