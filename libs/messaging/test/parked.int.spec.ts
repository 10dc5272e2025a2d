import { workQueues } from '@expunge/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { bytes, eventsWanted } from './sample-messages.js';
import { type ServiceUnderTest, TestBed } from './test-bed.js';
import { until } from './until.js';
import { ParkedQueues, ValidationError } from '../src/index.js';

jest.setTimeout(60_000);

const JOBS = workQueues.deleterJobs.name;
const PARKED = `${JOBS}.parked`;
const AT = '2026-11-23T12:00:00.000Z';
const given = (reason = 'the body is not JSON') => ({ 'x-parked-reason': reason, 'x-parked-at': AT, 'x-queue': JOBS });

describe('parked messages', () => {
  let bed: TestBed;
  let service: ServiceUnderTest;
  let queues: ParkedQueues;
  beforeAll(async () => {
    bed = await TestBed.open();
    service = await bed.connect();
    queues = new ParkedQueues({ broker: service.broker, log: service.logger });
  });
  beforeEach(() => bed.purge(JOBS, PARKED));
  afterAll(() => bed.close());

  const park = (n: number) => bed.put(PARKED, bytes(eventsWanted(n)), { headers: { ...given(), 'x-attempt': 3 } });
  const parkMany = (n: number) =>
    bed.do((channel) => {
      for (let i = 1; i <= n; i++) channel.sendToQueue(PARKED, bytes(eventsWanted(i)), { headers: given() });
      return channel.waitForConfirms();
    });
  const ids = async (atMost = 100) => (await queues.look(JOBS, atMost)).messages.map(({ messageId }) => messageId);
  const expected = (n: number) => Array.from({ length: n }, (_, i) => `events-wanted-${i + 1}`);

  it('are told of by who and what they are about, and why, and stay where they are', async () => {
    const message = { ...eventsWanted(1), tenantid: 'acme' };
    await bed.put(PARKED, bytes(message), { headers: { ...given('unknown version'), 'x-attempt': 7 } });
    await bed.put(PARKED, 'poison', {
      messageId: 'm-2',
      type: 'BatchDeleted',
      correlationId: 'job-2',
      headers: given(),
    });
    await bed.put(PARKED, '{"secret": 1}', {});
    const list = await queues.look(JOBS, 10);
    expect(list).toEqual({
      count: 3,
      messages: [
        {
          messageId: 'events-wanted-1',
          type: 'EventsWanted',
          job: 'job-1',
          tenant: 'acme',
          reason: 'unknown version',
          parkedAt: AT,
          firstDeathQueue: JOBS,
          attempt: 7,
          bytes: bytes(message).length,
        },
        {
          messageId: 'm-2',
          type: 'BatchDeleted',
          job: 'job-2',
          tenant: null,
          reason: 'the body is not JSON',
          parkedAt: AT,
          firstDeathQueue: JOBS,
          attempt: 1,
          bytes: 6,
        },
        {
          messageId: null,
          type: null,
          job: null,
          tenant: null,
          reason: 'unknown',
          parkedAt: null,
          firstDeathQueue: null,
          attempt: 1,
          bytes: 13,
        },
      ],
    });
    expect(await queues.look(JOBS, 10)).toEqual(list);
    expect(await bed.do((channel) => channel.checkQueue(PARKED))).toMatchObject({ messageCount: 3, consumerCount: 0 });
  });

  it('are counted all, and listed as many as were asked for', async () => {
    await parkMany(5);
    for (let n = 0; n < 3; n++) {
      const { count, messages } = await queues.look(JOBS, 2);
      expect([count, new Set(messages.map(({ messageId }) => messageId)).size]).toEqual([5, 2]);
    }
    expect((await ids()).sort()).toEqual(expected(5));
  });

  it('that the broker dead-lettered are told with its reason, and when', async () => {
    await bed.put(JOBS, bytes(eventsWanted(1)), { headers: { 'x-attempt': 2 } });
    const since = Date.now() - 1000;
    await bed.do(async (channel) => {
      const message = await channel.get(JOBS);
      if (message) channel.reject(message, false);
      await channel.checkQueue(JOBS);
    });
    const list = await until('it is parked', async () => {
      const seen = await queues.look(JOBS, 1);
      return seen.count === 1 && seen;
    });
    const [message] = list.messages;
    expect(message).toMatchObject({
      reason: 'dead-lettered by the broker: rejected',
      firstDeathQueue: JOBS,
      attempt: 2,
    });
    expect(Date.parse(message?.parkedAt ?? '')).toBeGreaterThanOrEqual(since - (since % 1000));
  });

  it('outlive more looks than the broker would deliver them, unchanged', async () => {
    // As RabbitMQ 4 has it for every quorum queue. It then drops what has nowhere to go.
    await bed.policy('parked$', { 'delivery-limit': 20 });
    await parkMany(3);
    await bed.put(JOBS, 'rejected');
    await bed.do(async (channel) => {
      const message = await channel.get(JOBS);
      if (message) channel.reject(message, false);
      await channel.checkQueue(JOBS);
    });
    await until('all are parked', async () => (await bed.depth(PARKED)) === 4);
    const of = ({ messages }: Awaited<ReturnType<ParkedQueues['look']>>) => messages.map((one) => JSON.stringify(one));
    const first = of(await queues.look(JOBS, 10)).sort();
    for (let n = 0; n < 60; n++) expect(of(await queues.look(JOBS, 10)).sort()).toEqual(first);
  });

  it('are all seen by two that look at once, and by one that looks while others are put back', async () => {
    await parkMany(30);
    expect(await Promise.all([ids(), ids(), ids()])).toEqual([expected(30), expected(30), expected(30)]);
    const [seen, { replayed }] = await Promise.all([ids(), queues.replay(JOBS, 10), ids()]);
    expect([seen.length, replayed, await bed.depth(PARKED), await bed.depth(JOBS)]).toEqual([30, 10, 20, 10]);
  });

  it('are listed once each, however many processes look, whatever is put in anew', async () => {
    await parkMany(6);
    const other = await bed.connect();
    const others = new ParkedQueues({ broker: other.broker, log: other.logger });
    for (let n = 0; n < 60; n++) {
      for (const { messages } of await Promise.all([queues.look(JOBS, 100), others.look(JOBS, 100)])) {
        const listed = messages.map(({ messageId }) => messageId);
        expect(listed.sort()).toEqual([...new Set(listed)].sort());
      }
    }
    expect((await ids()).sort()).toEqual(expected(6));
  });

  it('are seen again once another process that looked at them has gone', async () => {
    await parkMany(30);
    const other = await bed.connect();
    const others = new ParkedQueues({ broker: other.broker, log: other.logger });
    const looks = [ids(), others.look(JOBS, 100), ids(), others.look(JOBS, 100)];
    await Promise.all(looks);
    expect((await ids()).sort()).toEqual(expected(30).sort());
  });

  it('are put back as a first attempt, without the reason', async () => {
    await bed.put(PARKED, bytes(eventsWanted(1)), {
      messageId: 'events-wanted-1',
      expiration: '60000',
      headers: { ...given(), 'x-attempt': 9, 'x-unexpected': 4, 'x-first-attempt-at': AT, theirs: 'kept' },
    });
    await park(2);
    expect(await queues.replay(JOBS, 1)).toEqual({ replayed: 1, remaining: 1, error: null });
    const { content, properties } = await bed.take(JOBS);
    expect(content).toEqual(bytes(eventsWanted(1)));
    expect(properties).toMatchObject({ messageId: 'events-wanted-1', deliveryMode: 2, expiration: undefined });
    const { 'x-publish': _, 'x-delivery-count': _counted, ...headers } = properties.headers ?? {};
    expect(headers).toEqual({
      'x-attempt': 1,
      'x-replay': expect.any(String),
      theirs: 'kept',
      'x-original-expiration': '60000',
    });
    expect(await ids()).toEqual(['events-wanted-2']);
  });

  it('that are parked again meanwhile are put back once', async () => {
    const other = await bed.start([
      [
        workQueues.deleterJobs,
        () => {
          throw new ValidationError('still wrong');
        },
      ],
    ]);
    await parkMany(3);
    expect(await queues.replay(JOBS, 1000)).toMatchObject({ replayed: 3, error: null });
    await until('all are parked again', async () => (await bed.depth(PARKED)) === 3);
    await other.close();
    expect((await queues.look(JOBS, 10)).messages).toMatchObject(
      Array.from({ length: 3 }, () => ({ reason: 'ValidationError: still wrong', attempt: 1 })),
    );
  });

  it('are put back once each, whoever looks meanwhile and changes their order', async () => {
    const taken: string[] = [];
    const again = await bed.start([
      [
        workQueues.deleterJobs,
        ({ id }) => {
          taken.push(id);
          throw new ValidationError('still wrong');
        },
      ],
    ]);
    const other = await bed.connect();
    const others = new ParkedQueues({ broker: other.broker, log: other.logger });
    await parkMany(30);
    const over = new AbortController();
    const looking = (async () => {
      while (!over.signal.aborted) await others.look(JOBS, 5);
    })();
    const { replayed } = await queues.replay(JOBS, 1000);
    over.abort();
    await looking;
    await until('what was put back is taken', () => taken.length === replayed);
    expect(new Set(taken).size).toBe(replayed);
    await until('all are parked', async () => (await bed.depth(PARKED)) === 30);
    await again.close();
  });

  it('stay parked when their queue is not there, which is told', async () => {
    await parkMany(2);
    await bed.do((channel) => channel.deleteQueue(JOBS));
    const { replayed, error } = await queues.replay(JOBS, 2);
    expect(replayed).toBe(0);
    expect(error).toMatchObject({ code: 'BROKER_UNROUTABLE' });
    expect((await ids()).sort()).toEqual(expected(2));
    await service.broker.assertTopology();
    expect(await queues.replay(JOBS, 2)).toEqual({ replayed: 2, remaining: 0, error: null });
  });

  it('are put back though their headers cannot be written again', async () => {
    const unwritable = { '!': 'object', value: { '!': 'nonsense' } };
    await bed.put(PARKED, bytes(eventsWanted(1)), { headers: { unwritable } });
    expect(await queues.replay(JOBS, 1)).toMatchObject({ replayed: 1 });
    expect((await bed.take(JOBS)).properties.headers).toMatchObject({ 'x-headers-dropped': true, 'x-attempt': 1 });
  });

  it('are not lost when the connection ends in the middle of putting them back', async () => {
    await parkMany(300);
    const replaying = queues.replay(JOBS, 300).catch((error: unknown) => error);
    await until('some are back', async () => (await bed.depth(JOBS)) > 20);
    service.wire.cut();
    await replaying;
    await until('the connection is back', () => service.broker.connected);
    // The broker may still be taking note that its peer is gone.
    await until('all are somewhere', async () => (await bed.depth(JOBS)) + (await bed.depth(PARKED)) >= 300);
    const depth = await bed.depth(JOBS);
    expect(depth).toBeLessThan(300);
    const taken = new Set<unknown>();
    for (let n = 0; n < depth; n++)
      taken.add((JSON.parse((await bed.take(JOBS)).content.toString()) as { id: string }).id);
    for (const id of await ids(300)) taken.add(id);
    expect([...taken].sort()).toEqual(expected(300).sort());
  });

  it('are refused to be looked at in time when the broker says nothing any more, and are there afterwards', async () => {
    await parkMany(2);
    const frozen = await bed.connect({ heartbeat: 1 });
    const others = new ParkedQueues({ broker: frozen.broker, log: frozen.logger, answerWithinMs: 500 });
    expect(await others.look(JOBS, 1)).toMatchObject({ count: 2 });
    frozen.wire.hold();
    await expect(others.look(JOBS, 10)).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    await until('both are seen', async () => (await ids()).length === 2);
  });

  it('of which the queue is missing are an error, not an empty list', async () => {
    await bed.do((channel) => channel.deleteQueue(PARKED));
    await expect(queues.look(JOBS, 10)).rejects.toMatchObject({ code: 'BROKER_PARKED' });
    await service.broker.assertTopology();
    expect(await queues.look(JOBS, 10)).toEqual({ count: 0, messages: [] });
  });
});
