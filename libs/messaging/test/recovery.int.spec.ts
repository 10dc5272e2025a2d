import { DELIVERY_LIMIT, workQueues } from '@expunge/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Channel } from 'amqplib';
import { bytes, eventsWanted } from './sample-messages.js';
import { breakChannel, type Handle, type ServiceOptions, type ServiceUnderTest, TestBed } from './test-bed.js';
import { until } from './until.js';
import { TransientError } from '../src/index.js';

jest.setTimeout(40_000);

const JOBS = workQueues.deleterJobs.name;

/** A handler's first calls wait until `release`; all are noted. */
function gated() {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const seen: { id: string; attempt: number; redelivered: boolean }[] = [];
  const handle: Handle = async ({ id }, { attempt, redelivered }) => {
    seen.push({ id, attempt, redelivered });
    if (!redelivered) await gate;
  };
  return { handle, seen, release };
}

describe('a consumer', () => {
  let bed: TestBed;
  let service: ServiceUnderTest | undefined;
  beforeAll(async () => {
    bed = await TestBed.open();
  });
  afterEach(async () => {
    await service?.close();
    await bed.purge(JOBS, `${JOBS}.parked`, `${JOBS}.retry.2s`, `${JOBS}.retry.30s`);
  });
  afterAll(() => bed.close());

  async function consume(handle: Handle, options?: ServiceOptions): Promise<ServiceUnderTest> {
    return (service = await bed.start([[workQueues.deleterJobs, handle]], options));
  }
  const consumers = async () => (await bed.do((channel) => channel.checkQueue(JOBS))).consumerCount;
  const lastChannel = (): Channel => service!.channels.at(-1)!;

  async function handlesAgain(seen: { id: string }[], n: number): Promise<void> {
    await bed.put(JOBS, bytes(eventsWanted(n)));
    await until(`message ${n} is handled`, () => seen.some(({ id }) => id === `events-wanted-${n}`));
  }

  it('whose channel dies while a handler works gets the message again, and the late ack harms nothing', async () => {
    const { handle, seen, release } = gated();
    const { publisher, strategy, channels } = await consume(handle);
    await publisher.publish(eventsWanted(1));
    await until('it is being handled', () => seen.length === 1);
    breakChannel(lastChannel());
    await until('it is delivered again', () => seen.length === 2);
    release();
    await until('both are done', () => strategy.queues()[0]?.inFlight === 0);
    expect(seen).toEqual([
      { id: 'events-wanted-1', attempt: 1, redelivered: false },
      { id: 'events-wanted-1', attempt: 1, redelivered: true },
    ]);
    await handlesAgain(seen, 2);
    expect(channels.filter((channel) => channel === lastChannel())).toHaveLength(1);
    await service!.close();
    expect(await bed.depth(JOBS)).toBe(0);
  });

  it('whose connection is cut comes back by itself, and gets again what was not acknowledged', async () => {
    const { handle, seen, release } = gated();
    const { publisher, strategy, broker, wire } = await consume(handle);
    const said: string[] = [];
    broker.on('disconnected', () => said.push('disconnected'));
    broker.on('connected', () => said.push('connected'));
    await publisher.publish(eventsWanted(1));
    await until('it is being handled', () => seen.length === 1);
    wire.cut();
    await until('the loss is noticed', () => !broker.connected);
    await until('it is delivered again', () => seen.length === 2);
    release();
    await until('both are done', () => strategy.queues()[0]?.inFlight === 0);
    expect(seen[1]).toEqual({ id: 'events-wanted-1', attempt: 1, redelivered: true });
    expect(said).toEqual(['disconnected', 'connected']);
    expect(strategy.consumed()).toEqual([JOBS]);
    await service!.close();
    expect(await bed.depth(JOBS)).toBe(0);
  });

  it('outlives a broker that is away for a while, and says so meanwhile', async () => {
    const { handle, seen, release } = gated();
    release();
    const { broker, strategy, publisher, wire } = await consume(handle);
    wire.refuse(true);
    wire.cut();
    await until('the loss is noticed', () => !broker.connected && strategy.consumed().length === 0);
    const tried = () => service!.log.filter(({ msg }) => msg === 'no connection to the broker').length;
    await until('it has tried for a while', () => tried() >= 3);
    expect(broker.lastError).toBeInstanceOf(Error);
    await expect(publisher.publish(eventsWanted(1))).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    wire.refuse(false);
    await until('it is consumed again', () => strategy.consumed().length === 1);
    expect(broker.lastError).toBeNull();
    await publisher.publish(eventsWanted(2));
    await until('it is handled', () => seen.length === 1);
  });

  it('that the broker cancels because its queue was deleted declares it again, bound, and goes on', async () => {
    const { handle, seen, release } = gated();
    release();
    const { publisher, strategy } = await consume(handle);
    await bed.do((channel) => channel.deleteQueue(JOBS));
    await until('the cancellation is noticed', () => strategy.consumed().length === 0);
    await until('it is consumed again', () => strategy.consumed().length === 1);
    await publisher.publish(eventsWanted(1));
    await until('it is handled', () => seen.length === 1);
    expect(await consumers()).toBe(1);
  });

  it('whose queue is deleted while a handler works finishes, and closes the old channel after it', async () => {
    const { handle, seen, release } = gated();
    const { publisher, strategy } = await consume(handle);
    await publisher.publish(eventsWanted(1));
    await until('it is being handled', () => seen.length === 1);
    const old = lastChannel();
    let closed = false;
    old.on('close', () => (closed = true));
    await bed.do((channel) => channel.deleteQueue(JOBS));
    await until('another channel consumes', () => strategy.consumed().length === 1 && lastChannel() !== old);
    expect(closed).toBe(false);
    release();
    await until('the old channel is closed', () => closed);
    expect(await consumers()).toBe(1);
  });

  it('survives a second cancellation of the same consumer', async () => {
    const { handle, seen, release } = gated();
    release();
    const { broker } = await consume(handle);
    const channel = lastChannel() as Channel & { accept: (frame: unknown) => void };
    const consumerTag = `tested@${broker.identity.instance}:${JOBS}`;
    // RabbitMQ 4.3 sends one for each delivery that took too long.
    const basicCancel = { id: 60 * 65536 + 30, channel: 1, fields: { consumerTag, nowait: true } };
    channel.accept(basicCancel);
    channel.accept(basicCancel);
    await until(
      'another channel consumes',
      () => lastChannel() !== channel && service!.strategy.consumed().length === 1,
    );
    await handlesAgain(seen, 1);
    expect(broker.connected).toBe(true);
  });

  it('notices a broker that says nothing any more, within two heartbeats', async () => {
    const { handle, seen, release } = gated();
    release();
    const { broker, wire, strategy } = await consume(handle, { heartbeat: 1 });
    wire.hold();
    await until('the loss is noticed', () => !broker.connected, 5_000);
    wire.cut();
    wire.release();
    await until('it is consumed again', () => strategy.consumed().length === 1);
    await handlesAgain(seen, 1);
  });

  it('whose retry tier was deleted declares it again and retries', async () => {
    const { publisher } = await consume(() => Promise.reject(new TransientError('STORE', 'away')));
    await bed.do((channel) => channel.deleteQueue(`${JOBS}.retry.30s`));
    await publisher.send(JOBS, eventsWanted(1), { attempt: 9 });
    const copy = await bed.take(`${JOBS}.retry.30s`);
    expect(copy.properties.headers).toMatchObject({ 'x-attempt': 10 });
    await service!.close();
    expect(await bed.depth(JOBS)).toBe(0);
  });

  it('that loses its channel before the copy is out acknowledges nothing', async () => {
    const seen: boolean[] = [];
    const { publisher } = await consume((_message, { redelivered }) => {
      seen.push(redelivered);
      if (redelivered) return;
      breakChannel(lastChannel());
      return new Promise((_resolve, reject) => {
        lastChannel().on('close', () => reject(new TransientError('STORE', 'away')));
      });
    });
    await publisher.publish(eventsWanted(1));
    await until('it is delivered again', () => seen.length === 2);
    expect(seen).toEqual([false, true]);
    await service!.close();
    for (const queue of [JOBS, `${JOBS}.retry.2s`]) expect(await bed.depth(queue)).toBe(0);
  });

  it('dying on one message each time has it parked by the broker after the delivery limit', async () => {
    const { broker } = await bed.connect();
    await bed.put(JOBS, bytes(eventsWanted(1)));
    let deliveries = 0;
    for (let channel = await broker.openChannel(); ; channel = await broker.openChannel()) {
      const dying = channel;
      const delivered = await until('a delivery, or the message parked', async () => {
        if ((await bed.depth(`${JOBS}.parked`)) > 0) return 'parked';
        return (await dying.get(JOBS)) && 'delivered';
      });
      if (delivered === 'parked') break;
      deliveries += 1;
      await dying.close();
    }
    expect(deliveries).toBe(DELIVERY_LIMIT + 1);
    expect((await bed.take(`${JOBS}.parked`)).content).toEqual(bytes(eventsWanted(1)));
  });
});
