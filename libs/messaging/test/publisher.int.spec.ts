import { MAINTENANCE_EXCHANGE, workQueues } from '@expunge/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { bytes, eventsWanted, sliceDue } from './sample-messages.js';
import { type ServiceOptions, type ServiceUnderTest, TestBed } from './test-bed.js';
import { until } from './until.js';
import {
  BrokerUnavailableError,
  Heartbeat,
  type HeartbeatSnapshot,
  NotConfirmedError,
  OutcomeUnknownError,
  TransientError,
  UnroutableError,
  ValidationError,
} from '../src/index.js';
import { ConfirmLink } from '../src/confirm-link.adapter.js';

jest.setTimeout(40_000);

const JOBS = workQueues.deleterJobs.name;
const SLICES = workQueues.deleterSlices.name;
const [CONFIRM, SELECT_OK] = [85, 11];

const idle: HeartbeatSnapshot = {
  ready: true,
  consumes: [],
  doing: null,
  lastError: null,
  sequences: {},
  missingIndexes: null,
};

describe('a publish', () => {
  let bed: TestBed;
  let service: ServiceUnderTest;
  beforeAll(async () => {
    bed = await TestBed.open();
  });
  afterEach(async () => {
    await service.close();
    await bed.purge(JOBS);
  });
  afterAll(() => bed.close());

  async function connect(options?: ServiceOptions): Promise<ServiceUnderTest> {
    return (service = await bed.connect(options));
  }

  it('is confirmed, persistent, and carries what the envelope says in its properties', async () => {
    const { publisher } = await connect();
    await publisher.publish(eventsWanted(1));
    const { content, properties } = await bed.take(JOBS);
    expect(content).toEqual(bytes(eventsWanted(1)));
    expect(properties).toMatchObject({
      messageId: 'events-wanted-1',
      type: 'EventsWanted',
      correlationId: 'job-1',
      contentType: 'application/cloudevents+json',
      timestamp: Date.parse('2026-11-23T12:00:00.000Z') / 1000,
      deliveryMode: 2,
      headers: { 'x-attempt': 1 },
    });
  });

  it('to a queue goes to it alone, with a tier to its retry queue', async () => {
    const { publisher } = await connect();
    await publisher.send(SLICES, sliceDue(1));
    await publisher.send(SLICES, sliceDue(2), { attempt: 3, tier: 8 });
    expect((await bed.take(SLICES)).content).toEqual(bytes(sliceDue(1)));
    const delayed = await bed.take(`${SLICES}.retry.8s`);
    expect(delayed.content).toEqual(bytes(sliceDue(2)));
    expect(delayed.properties.headers).toMatchObject({ 'x-attempt': 3 });
    expect(await bed.depth(SLICES)).toBe(0);
  });

  it('that no queue takes is reported, and only that one', async () => {
    const { publisher } = await connect();
    const outcomes = await Promise.allSettled([
      publisher.send(SLICES, sliceDue(1)),
      publisher.send('nowhere', sliceDue(1)),
      publisher.send(SLICES, sliceDue(1)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const [, lost] = outcomes as PromiseRejectedResult[];
    expect(lost!.reason).toBeInstanceOf(UnroutableError);
    expect(lost!.reason).toBeInstanceOf(TransientError);
    expect(lost!.reason).toMatchObject({
      code: 'BROKER_UNROUTABLE',
      message: 'message job-1:slice:0:1 to queue nowhere was returned: NO_ROUTE',
    });
    await bed.purge(SLICES);
  });

  it('of a binding that was removed is reported', async () => {
    const { publisher, broker } = await connect();
    await bed.do((channel) => channel.unbindQueue(JOBS, MAINTENANCE_EXCHANGE, 'events.wanted'));
    await expect(publisher.publish(eventsWanted(1))).rejects.toBeInstanceOf(UnroutableError);
    await broker.assertTopology();
    await publisher.publish(eventsWanted(1));
    expect(await bed.depth(JOBS)).toBe(1);
  });

  it('that the broker refuses is reported', async () => {
    const { publisher } = await connect();
    await bed.do((channel) => channel.assertQueue('full', { maxLength: 1, overflow: 'reject-publish' }));
    await publisher.send('full', sliceDue(1));
    await expect(publisher.send('full', sliceDue(2))).rejects.toBeInstanceOf(NotConfirmedError);
  });

  it('after the exchange was deleted is not believed, and finds it again', async () => {
    const { publisher } = await connect();
    await bed.do((channel) => channel.deleteExchange(MAINTENANCE_EXCHANGE));
    await expect(publisher.publish(eventsWanted(1))).rejects.toBeInstanceOf(OutcomeUnknownError);
    await until('the exchange is there again', () =>
      publisher.publish(eventsWanted(2)).then(
        () => true,
        () => false,
      ),
    );
  });

  it('of a message without a routing key, of none of ours, or too large to be read, is a mistake', async () => {
    const { publisher } = await connect();
    await expect(publisher.publish(sliceDue(1))).rejects.toBeInstanceOf(ValidationError);
    await expect(publisher.publish({ ...eventsWanted(1), type: 'Unheard' })).rejects.toBeInstanceOf(ValidationError);
    const large = { ...eventsWanted(1), source: 'x'.repeat(8 * 1024 * 1024) };
    await expect(publisher.publish(large)).rejects.toBeInstanceOf(ValidationError);
  });

  it('waits its turn while the window is full', async () => {
    const { publisher, wire } = await connect({ window: 4 });
    await publisher.publish(eventsWanted(0));
    wire.deafen();
    const settled: number[] = [];
    const publishes = Array.from({ length: 50 }, (_, n) =>
      publisher.publish(eventsWanted(n + 1)).then(() => settled.push(n)),
    );
    // Told by the queue: four went out, though none was heard to be confirmed.
    await until('four arrive', async () => (await bed.depth(JOBS)) === 5);
    expect(publisher.onTheWay).toBe(4);
    expect(settled).toEqual([]);
    wire.release();
    await Promise.all(publishes);
    expect(await bed.depth(JOBS)).toBe(51);
    expect(publisher.onTheWay).toBe(0);
  });

  it('without an answer in time has an unknown outcome, and its place is given up with its channel', async () => {
    const { publisher, wire, log } = await connect({ window: 2, confirmTimeoutMs: 300 });
    await publisher.publish(eventsWanted(0));
    wire.deafen();
    const unanswered = [publisher.publish(eventsWanted(1)), publisher.publish(eventsWanted(2))];
    const third = publisher.publish(eventsWanted(3));
    for (const publish of unanswered) await expect(publish).rejects.toBeInstanceOf(OutcomeUnknownError);
    await expect(third).rejects.toBeInstanceOf(BrokerUnavailableError);
    wire.release();
    await until('publishes work again', () =>
      publisher.publish(eventsWanted(4)).then(
        () => true,
        () => false,
      ),
    );
    expect(publisher.onTheWay).toBe(0);
    expect(log.filter(({ late }) => late !== undefined)).not.toEqual([]);
  });

  it('of the largest message without an answer gives up its channel: it holds half of the bytes', async () => {
    const { publisher, wire, log } = await connect({ confirmTimeoutMs: 300 });
    await publisher.publish(eventsWanted(0));
    wire.deafen();
    const largest = { exchange: '', routingKey: JOBS, content: Buffer.alloc(16 * 1024 * 1024), properties: {} };
    await expect(publisher.put(largest)).rejects.toBeInstanceOf(OutcomeUnknownError);
    await until('it is given up', () => log.some(({ late }) => late !== undefined));
    wire.release();
    await until('their places are free', () => publisher.onTheWay === 0);
  });

  it('on its way when the connection dies has an unknown outcome, and may be repeated', async () => {
    const { publisher, wire } = await connect();
    await publisher.publish(eventsWanted(0));
    wire.deafen();
    const onTheWay = Array.from({ length: 20 }, (_, n) => publisher.publish(eventsWanted(n + 1)));
    await until('the broker has them', async () => (await bed.depth(JOBS)) === 21);
    wire.cut();
    const outcomes = await Promise.allSettled(onTheWay);
    for (const outcome of outcomes as PromiseRejectedResult[]) {
      expect(outcome.reason).toBeInstanceOf(OutcomeUnknownError);
    }
    expect(publisher.onTheWay).toBe(0);
    // Waits for the connection by itself.
    await publisher.publish(eventsWanted(1));
    expect(await bed.depth(JOBS)).toBe(22);
  });

  it('over a channel that ended in the read that opened it was not sent, and the next finds another', async () => {
    const { publisher, wire } = await connect();
    wire.closeRightAfter(CONFIRM, SELECT_OK);
    await expect(publisher.publish(eventsWanted(1))).rejects.toBeInstanceOf(BrokerUnavailableError);
    await publisher.publish(eventsWanted(2));
    expect(publisher.onTheWay).toBe(0);
    expect(await bed.depth(JOBS)).toBe(1);
  });

  it('that waits for a full channel which is then given up is not sent', async () => {
    const { broker, wire } = await connect();
    const link = new ConfirmLink(await broker.openConfirmChannel());
    const to = { exchange: '', routingKey: 'nowhere', properties: {} };
    wire.hold();
    const filling = link.publish({ ...to, content: Buffer.alloc(8_000_000) }, 10_000, () => undefined);
    const waiting = link.writable(10_000);
    const closing = link.close();
    expect(await waiting).toBe(false);
    const late = link.publish({ ...to, content: Buffer.alloc(1) }, 10_000, () => undefined);
    await expect(late).rejects.toBeInstanceOf(BrokerUnavailableError);
    wire.release();
    await expect(filling).rejects.toBeInstanceOf(OutcomeUnknownError);
    await closing;
  });

  it('without a connection fails after a moment: nobody has it', async () => {
    const { publisher, wire, broker } = await connect();
    wire.refuse(true);
    wire.cut();
    await until('the loss is noticed', () => !broker.connected);
    const began = Date.now();
    await expect(publisher.publish(eventsWanted(1))).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    expect(Date.now() - began).toBeGreaterThanOrEqual(1_900);
    expect(Date.now() - began).toBeLessThan(4_000);
    expect(publisher.onTheWay).toBe(0);
    expect(await bed.depth(JOBS)).toBe(0);
  });

  it('while the broker has an alarm is not sent, and the heartbeat is left out', async () => {
    const { publisher, broker, log, logger } = await connect();
    const { connection } = (await broker.openChannel()) as unknown as { connection: { accept(frame: unknown): void } };
    // connection.blocked and connection.unblocked, as the broker sends them: a real alarm would stop every other test.
    connection.accept({ channel: 0, id: (10 << 16) | 60, fields: { reason: 'low on memory' } });
    expect(broker.blocked).toBe('low on memory');
    let asked = 0;
    const heartbeat = new Heartbeat({ broker, log: logger, snapshot: () => ((asked += 1), idle), everyMs: 20 });
    heartbeat.start();
    await expect(publisher.publish(eventsWanted(1))).rejects.toMatchObject({
      code: 'BROKER_UNAVAILABLE',
      message: 'the broker takes no messages (blocked: low on memory)',
    });
    // The publish has waited for two seconds.
    expect(asked).toBe(0);
    const waiting = publisher.publish(eventsWanted(2));
    connection.accept({ channel: 0, id: (10 << 16) | 61, fields: {} });
    await waiting;
    expect(broker.blocked).toBeNull();
    await until('the heartbeat goes on', () => asked > 0);
    await heartbeat.stop();
    expect(await bed.depth(JOBS)).toBe(1);
    expect(log.filter(({ msg }) => msg.startsWith('the broker takes'))).toHaveLength(2);
  });

  it('on its way, or still in line, when the publisher closes is waited for', async () => {
    const { publisher, wire } = await connect({ window: 50 });
    await publisher.publish(eventsWanted(0));
    wire.deafen();
    const publishes = Array.from({ length: 200 }, (_, n) => publisher.publish(eventsWanted(n + 1)));
    await until('the window is full', () => publisher.onTheWay === 50);
    const closing = publisher.close();
    wire.release();
    await closing;
    await Promise.all(publishes);
    expect(await bed.depth(JOBS)).toBe(201);
    await expect(publisher.publish(eventsWanted(1))).rejects.toBeInstanceOf(BrokerUnavailableError);
  });

  it('of ten thousand messages keeps no more than the window in memory', async () => {
    const { publisher } = await connect();
    let most = 0;
    const body = { ...eventsWanted(1), padding: 'x'.repeat(2000) };
    await Promise.all(
      Array.from({ length: 10_000 }, async () => {
        await publisher.publish(body);
        most = Math.max(most, publisher.onTheWay);
      }),
    );
    expect(most).toBeLessThanOrEqual(256);
    expect(await bed.depth(JOBS)).toBe(10_000);
  });
});
