import { workQueues } from '@expunge/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventsWanted } from './sample-messages.js';
import { type ServiceUnderTest, TestBed } from './test-bed.js';
import { until } from './until.js';
import { TransientError } from '../src/index.js';

jest.setTimeout(30_000);

const JOBS = workQueues.deleterJobs.name;
const PREFETCH = workQueues.deleterJobs.prefetch;

describe('closing a service', () => {
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

  function gate() {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    return { open, opened };
  }

  async function fill(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, n) => service.publisher.publish(eventsWanted(n + 1))));
  }
  const inFlight = () => service.strategy.queues()[0]?.inFlight ?? 0;

  it('waits for the handlers at work, stores their acks and takes nothing more', async () => {
    const { open, opened } = gate();
    let done = 0;
    service = await bed.start([[workQueues.deleterJobs, () => opened.then(() => (done += 1))]]);
    await fill(PREFETCH + 5);
    await until('the prefetch is full', () => inFlight() === PREFETCH);
    let closed = false;
    const closing = service.close().then(() => (closed = true));
    await until('it stops consuming', () => service.strategy.consumed().length === 0);
    // A round trip later the broker has heard of it.
    expect(await bed.depth(JOBS)).toBe(5);
    expect(closed).toBe(false);
    open();
    await closing;
    expect(done).toBe(PREFETCH);
    expect(await bed.depth(JOBS)).toBe(5);
    expect((await bed.take(JOBS)).fields.redelivered).toBe(false);
  });

  // A quorum queue takes some 30 acks at a time: what stands behind those when a channel closes is delivered again.
  it('stores the acks that are written at the last moment', async () => {
    const { open, opened } = gate();
    service = await bed.start([[{ ...workQueues.deleterJobs, prefetch: 24 }, () => opened]]);
    await fill(24);
    await until('all are being handled', () => inFlight() === 24);
    const draining = service.strategy.close();
    open();
    await draining;
    // Closing the connection would overtake what its channels have not sent yet.
    await service.broker.close();
    expect(await bed.depth(JOBS)).toBe(0);
  });

  it('lets a handler that fails meanwhile be tried again', async () => {
    const { open, opened } = gate();
    const away = () => opened.then(() => Promise.reject(new TransientError('STORE', 'away')));
    service = await bed.start([[workQueues.deleterJobs, away]]);
    await service.publisher.send(JOBS, eventsWanted(1), { attempt: 5 });
    await until('it is being handled', () => inFlight() === 1);
    const closing = service.close();
    open();
    await closing;
    expect(await bed.depth(JOBS)).toBe(0);
    expect((await bed.take(`${JOBS}.retry.30s`)).properties.headers).toMatchObject({ 'x-attempt': 6 });
  });

  it('gives a handler that never ends back to the broker after its time, and says so', async () => {
    service = await bed.start([[workQueues.deleterJobs, () => new Promise(() => undefined)]], { drainMs: 300 });
    await fill(1);
    await until('it is being handled', () => inFlight() === 1);
    const began = Date.now();
    await service.close();
    expect(Date.now() - began).toBeLessThan(3_000);
    expect((await bed.take(JOBS)).fields.redelivered).toBe(true);
    expect(service.log.filter(({ unfinished }) => unfinished === 1)).toHaveLength(1);
  });

  it('ends in time while the broker is away', async () => {
    service = await bed.start([[workQueues.deleterJobs, () => undefined]]);
    service.wire.refuse(true);
    service.wire.cut();
    await until('the loss is noticed', () => !service.broker.connected);
    const began = Date.now();
    await service.close();
    expect(Date.now() - began).toBeLessThan(3_000);
  });
});
