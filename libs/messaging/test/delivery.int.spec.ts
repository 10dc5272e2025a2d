import { retryQueue, retryTiers, workQueues } from '@expunge/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { of, throwError, timer, concatMap } from 'rxjs';
import { bytes, eventsWanted, sliceDue } from './sample-messages.js';
import { type Handle, type ServiceOptions, type ServiceUnderTest, TestBed } from './test-bed.js';
import { until } from './until.js';
import { ConflictError, type Delivery, TransientError, ValidationError } from '../src/index.js';

jest.setTimeout(30_000);

const JOBS = workQueues.deleterJobs.name;
const PARKED = `${JOBS}.parked`;

describe('a delivery', () => {
  let bed: TestBed;
  let service: ServiceUnderTest | undefined;
  beforeAll(async () => {
    bed = await TestBed.open();
  });
  afterEach(async () => {
    await service?.close();
    service = undefined;
    await bed.purge(JOBS, PARKED, ...retryTiers.map((tier) => retryQueue(JOBS, tier)));
  });
  afterAll(() => bed.close());

  async function consume(handle: Handle, options?: ServiceOptions): Promise<ServiceUnderTest> {
    return (service = await bed.start([[workQueues.deleterJobs, handle]], options));
  }

  async function isEmpty(): Promise<void> {
    // Closed first: an unacknowledged message would come back now.
    await service?.close();
    expect(await bed.depth(JOBS)).toBe(0);
  }

  it('reaches its handler parsed, and is acknowledged when that returns', async () => {
    const seen: unknown[] = [];
    const { publisher } = await consume((message, { queue, attempt, redelivered }) => {
      seen.push({ message, queue, attempt, redelivered });
    });
    await publisher.publish(eventsWanted(1));
    await until('it is handled', () => seen.length > 0);
    expect(seen).toEqual([{ message: eventsWanted(1), queue: JOBS, attempt: 1, redelivered: false }]);
    await isEmpty();
    expect(await bed.depth(PARKED)).toBe(0);
  });

  it('says at the start which queue is listened to, how, and by which tag', async () => {
    const { log } = await consume(() => undefined, { instance: 'one' });
    expect(log.filter(({ msg }) => msg === 'listening')).toMatchObject([
      { queue: JOBS, prefetch: 8, consumerTag: `tested@one:${JOBS}` },
    ]);
  });

  it('is acknowledged only when the observable its handler returned has completed', async () => {
    let completed = 0;
    const { publisher, strategy } = await consume(() => timer(300).pipe(concatMap(() => of((completed += 1)))));
    const untouchedMs = () => strategy.queues()[0]?.untouchedMs;
    expect(untouchedMs()).toBeUndefined();
    await publisher.publish(eventsWanted(1));
    await until('it is being handled', () => strategy.queues()[0]?.inFlight === 1);
    await until('it is being handled for some time', () => untouchedMs()! >= 100);
    expect(completed).toBe(0);
    const doneAt = Date.now();
    await isEmpty();
    expect(completed).toBe(1);
    expect(untouchedMs()).toBeLessThanOrEqual(Date.now() - doneAt);
  });

  it('whose store is away comes again after the first tier, as attempt 2', async () => {
    const seen: (Delivery & { at: number })[] = [];
    const { publisher } = await consume((_message, { queue, attempt, redelivered }) => {
      seen.push({ queue, attempt, redelivered, at: Date.now() });
      if (attempt === 1) throw new TransientError('RECORDS_UNAVAILABLE', 'no primary');
    });
    await publisher.publish(eventsWanted(1));
    await until('it is handled again', () => seen.length === 2);
    expect(seen).toMatchObject([
      { queue: JOBS, attempt: 1, redelivered: false },
      { queue: JOBS, attempt: 2, redelivered: false },
    ]);
    expect(seen[1]!.at - seen[0]!.at).toBeGreaterThanOrEqual(1950);
    await isEmpty();
    const [warning] = service!.log.filter(({ level }) => level === 40);
    expect(warning).toMatchObject({ queue: JOBS, attempt: 1, delayS: 2, job: 'job-1', type: 'EventsWanted' });
    expect(warning).toMatchObject({ err: { message: 'no primary' } });
  });

  it('of a later attempt waits in its tier as the same message with the next attempt', async () => {
    const { publisher } = await consume(() => throwError(() => new TransientError('STORE', 'away')));
    await publisher.send(JOBS, eventsWanted(1), { attempt: 4 });
    const copy = await bed.take(`${JOBS}.retry.16s`);
    expect(copy.content).toEqual(bytes(eventsWanted(1)));
    expect(copy.properties).toMatchObject({
      messageId: 'events-wanted-1',
      type: 'EventsWanted',
      correlationId: 'job-1',
      contentType: 'application/cloudevents+json',
      timestamp: Date.parse('2026-11-23T12:00:00.000Z') / 1000,
      deliveryMode: 2,
    });
    expect(copy.properties.headers).toMatchObject({ 'x-attempt': 5, 'x-unexpected': 0 });
    const since = Date.parse(String(copy.properties.headers?.['x-first-attempt-at']));
    expect(Math.abs(Date.now() - since)).toBeLessThan(5000);
    await isEmpty();
  });

  it('is parked when its store stayed away for as long as it is waited for', async () => {
    await consume(() => Promise.reject(new TransientError('STORE', 'away')), { storeRetryForMs: 60_000 });
    const headers = { 'x-attempt': 7, 'x-first-attempt-at': new Date(Date.now() - 61_000).toISOString() };
    await bed.put(JOBS, bytes(eventsWanted(1)), { headers });
    const { properties } = await bed.take(PARKED);
    expect(properties.headers).toMatchObject({
      'x-parked-reason': 'tried for 60 s, last: TransientError STORE: away',
      'x-queue': JOBS,
      'x-attempt': 7,
    });
  });

  it('that meets a bug for the fifth time is parked', async () => {
    await consume(() => {
      throw new TypeError('x is undefined');
    });
    await bed.put(JOBS, bytes(eventsWanted(1)), { headers: { 'x-attempt': 4, 'x-unexpected': 3 } });
    const fifth = await bed.take(`${JOBS}.retry.16s`);
    expect(fifth.properties.headers).toMatchObject({ 'x-attempt': 5, 'x-unexpected': 4 });
    await bed.put(JOBS, fifth.content, { headers: fifth.properties.headers });
    const parked = await bed.take(PARKED);
    expect(parked.properties.headers).toMatchObject({
      'x-parked-reason': 'failed 5 times, last: TypeError: x is undefined',
    });
    await isEmpty();
  });

  it.each<[string, Buffer, string | RegExp]>([
    ['is not JSON', Buffer.from([0xff, 0x00, 0x7b]), 'the body is not JSON'],
    ['is empty', Buffer.alloc(0), 'the body is not JSON'],
    ['is no CloudEvent', Buffer.from('{"pattern": "x", "data": 1}'), /^no CloudEvents 1\.0 document/],
    ['is of an unknown type', bytes({ ...eventsWanted(1), type: 'Unheard' }), 'unknown type Unheard'],
    [
      'is of an unknown version',
      bytes({ ...eventsWanted(1), dataschema: 'urn:expunge:EventsWanted:9' }),
      /^unknown version urn:expunge:EventsWanted:9/,
    ],
    ['has data that does not fit', bytes({ ...eventsWanted(1), data: { after: 'x' } }), /^EventsWanted data/],
    ['has 10 MB', Buffer.alloc(10_000_000, 'x'), 'the body has 10000000 bytes, more than 8388608'],
  ])('whose body %s is parked at once, byte for byte, with the reason', async (_what, body, reason) => {
    let handled = 0;
    const { log } = await consume(() => (handled += 1));
    const before = Date.now();
    await bed.put(JOBS, body, {
      messageId: 'm-1',
      contentType: 'text/plain',
      headers: { theirs: 'kept' },
      expiration: '60000',
    });
    const parked = await bed.take(PARKED);
    expect(parked.content.equals(body)).toBe(true);
    // An expiration would end a parked message unread.
    expect(parked.properties).toMatchObject({ messageId: 'm-1', contentType: 'text/plain', expiration: undefined });
    const { headers } = parked.properties;
    expect(headers).toMatchObject({ theirs: 'kept', 'x-queue': JOBS });
    const parkedReason = String(headers?.['x-parked-reason']);
    if (typeof reason === 'string') expect(parkedReason).toBe(reason);
    else expect(parkedReason).toMatch(reason);
    expect(Date.parse(String(headers?.['x-parked-at']))).toBeGreaterThanOrEqual(before);
    expect(handled).toBe(0);
    await isEmpty();
    expect(log.filter(({ level }) => level === 50)).toMatchObject([{ msg: 'parked', queue: JOBS, messageId: 'm-1' }]);
  });

  it('whose headers cannot be written again is parked without them, with the reason', async () => {
    await consume(() => undefined);
    // A table that amqplib reads, and then takes for a type that it does not know.
    const unwritable = { '!': 'object', value: { '!': 'nonsense' } };
    await bed.put(JOBS, 'poison', { headers: { unwritable }, messageId: 'm-1' });
    const { content, properties } = await bed.take(PARKED);
    expect(content.toString()).toBe('poison');
    expect(properties).toMatchObject({
      messageId: 'm-1',
      headers: { 'x-headers-dropped': true, 'x-parked-reason': 'the body is not JSON', 'x-queue': JOBS },
    });
    expect(properties.headers).not.toHaveProperty('unwritable');
    await isEmpty();
  });

  it('of a type with a name beyond any header is parked with a shorter reason', async () => {
    await consume(() => undefined);
    const body = bytes({ ...eventsWanted(1), type: 'x'.repeat(70_000) });
    await bed.put(JOBS, body);
    const { content, properties } = await bed.take(PARKED);
    expect(content.equals(body)).toBe(true);
    expect(properties.headers?.['x-parked-reason']).toMatch(/^unknown type x{900,}…$/);
  });

  it('that can never succeed is parked at once', async () => {
    const { publisher } = await consume(() => {
      throw new ValidationError('notAfter is past');
    });
    await publisher.publish(eventsWanted(1));
    const parked = await bed.take(PARKED);
    expect(parked.content).toEqual(bytes(eventsWanted(1)));
    expect(parked.properties.headers).toMatchObject({ 'x-parked-reason': 'ValidationError: notAfter is past' });
    await isEmpty();
  });

  it('that somebody else moved on from is acknowledged, and no failure', async () => {
    let handled = 0;
    const { publisher, log } = await consume(() => {
      handled += 1;
      throw new ConflictError('revision 4');
    });
    await publisher.publish(eventsWanted(1));
    await until('it is handled', () => handled === 1);
    await isEmpty();
    expect(await bed.depth(PARKED)).toBe(0);
    expect(log.filter(({ level }) => level >= 40)).toEqual([]);
  });

  it('whose copy cannot be published goes back to the broker: to be delivered again, or to be parked', async () => {
    const seen: boolean[] = [];
    const { publisher } = await consume((_message, { redelivered }) => {
      seen.push(redelivered);
      if (!redelivered) throw new TransientError('STORE', 'away');
    });
    await publisher.close();
    await Promise.all([bed.put(JOBS, 'poison'), bed.put(JOBS, bytes(eventsWanted(1)))]);
    // Without our reason, since it is the broker that parks it.
    const parked = await bed.take(PARKED);
    expect(parked.content.toString()).toBe('poison');
    expect(parked.properties.headers?.['x-first-death-queue']).toBe(JOBS);
    await until('it is delivered again', () => seen.length === 2);
    expect(seen).toEqual([false, true]);
    await isEmpty();
  });

  it('of each queue has a prefetch of its own', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    service = await bed.start([
      [workQueues.deleterJobs, () => gate],
      [workQueues.deleterSlices, () => gate],
    ]);
    const { publisher, strategy } = service;
    const sent: Promise<void>[] = [];
    for (let n = 1; n <= 20; n++) {
      sent.push(publisher.publish(eventsWanted(n)), publisher.send('deleter.slices', sliceDue(n)));
    }
    await Promise.all(sent);
    const inFlight = () => strategy.queues().map((queue) => queue.inFlight);
    await until('both are full', () => inFlight().join() === '8,4');
    release();
    await until('both are empty', () => inFlight().join() === '0,0');
  });

  it('is never shared by two handlers: a service that declares them does not start', async () => {
    const twice = bed.start([
      [workQueues.deleterJobs, () => undefined],
      [workQueues.deleterJobs, () => undefined],
    ]);
    await expect(twice).rejects.toThrow('two handlers consume deleter.jobs');
  });
});
