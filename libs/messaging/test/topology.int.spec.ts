import { allWorkQueues, MAINTENANCE_EXCHANGE, queueDeclarations, workQueues } from '@expunge/contracts';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventsWanted } from './sample-messages.js';
import { TestBed } from './test-bed.js';
import { until } from './until.js';
import { TopologyError } from '../src/index.js';

jest.setTimeout(30_000);

const JOBS = workQueues.deleterJobs.name;

describe('the topology', () => {
  let bed: TestBed;
  beforeAll(async () => {
    bed = await TestBed.open();
  });
  afterAll(() => bed.close());

  it('of which a queue exists with other arguments is asserted but for that queue, which is named', async () => {
    await bed.do((channel) => channel.assertQueue(`${JOBS}.retry.4s`, { durable: true }));
    const { broker, publisher, log } = await bed.connect();
    expect(broker.lastError).toBeInstanceOf(TopologyError);
    expect(broker.lastError?.message).toMatch(
      /^queue deleter\.jobs\.retry\.4s exists with other properties than declared \(.*inequivalent arg.*\): delete it/,
    );
    expect(log.filter(({ level }) => level === 50)).toMatchObject([{ msg: 'the topology is not as declared' }]);
    for (const { name } of allWorkQueues.flatMap(queueDeclarations)) expect(await bed.depth(name)).toBe(0);
    await publisher.publish(eventsWanted(1));
    await bed.purge(JOBS);
    await bed.do((channel) => channel.deleteQueue(`${JOBS}.retry.4s`));
    await until('it is whole', () => broker.lastError === null);
    await broker.assertTopology();
    // Said once, though it was tried again and again.
    expect(log.filter(({ level }) => level === 50)).toHaveLength(1);
  });

  it('can be asserted again at any time, by several at once', async () => {
    const { broker } = await bed.connect();
    await bed.do((channel) => channel.deleteExchange(MAINTENANCE_EXCHANGE));
    await bed.do((channel) => channel.deleteQueue(`${JOBS}.parked`));
    await Promise.all(Array.from({ length: 20 }, () => broker.assertTopology()));
    expect(await bed.depth(`${JOBS}.parked`)).toBe(0);
    await bed.do((channel) => channel.checkExchange(MAINTENANCE_EXCHANGE));
  });

  it('tells the depth of a queue, and that one is missing, without harm to anything', async () => {
    const { broker, publisher } = await bed.connect();
    for (let n = 1; n <= 3; n++) await publisher.publish(eventsWanted(n));
    expect(await broker.queueDepth(JOBS)).toBe(3);
    await expect(broker.queueDepth('nowhere')).rejects.toMatchObject({ code: 'BROKER_QUEUE_MISSING' });
    await publisher.publish(eventsWanted(4));
    expect(await broker.queueDepth(JOBS)).toBe(4);
  });

  it('is there before anybody hears of the connection, also when everything was lost meanwhile', async () => {
    const { broker, publisher, wire } = await bed.connect();
    wire.refuse(true);
    wire.cut();
    await until('the loss is noticed', () => !broker.connected);
    await bed.do((channel) => channel.deleteExchange(MAINTENANCE_EXCHANGE));
    for (const { name } of allWorkQueues) await bed.do((channel) => channel.deleteQueue(name));
    const published = new Promise((resolve, reject) => {
      broker.once('connected', () => void publisher.publish(eventsWanted(1)).then(resolve, reject));
    });
    wire.refuse(false);
    await published;
    expect(await bed.depth(JOBS)).toBe(1);
  });
});
