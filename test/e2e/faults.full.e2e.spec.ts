import { workQueues } from '@expunge/contracts';
import { until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Channel, connect } from 'amqplib';
import { expectAllGone, jobUnderWay } from '../support/job-under-way.js';
import { System } from '../support/system.js';

const RECORDS = 800;
const { deleterSlices, storageCleanerBatches, monitorEvents } = workQueues;

describe('a job completes with exact counts and no orphan', () => {
  let system: System;
  beforeAll(async () => {
    system = await System.start();
  }, 120_000);
  afterAll(() => system.stop(), 60_000);

  it('after the batches it had published were lost with their queue before anyone read them', async () => {
    const job = await jobUnderWay(system, RECORDS);
    const [cleaner] = system.services.of('storage-cleaner');
    cleaner!.process.freeze();
    await system.until(job.tenant, job.id, 'its last batch', ({ progress }) => progress.processed === RECORDS);
    const lost = await atBroker(system, (channel) => channel.purgeQueue(storageCleanerBatches.name));
    cleaner!.process.thaw();
    expect(lost.messageCount).toBeGreaterThan(20);
    await expectAllGone(system, job, 240_000);
  }, 300_000);

  it('after events were lost on their way to the monitor, in its midst and at its end', async () => {
    const job = await jobUnderWay(system, RECORDS);
    const [monitor] = system.services.of('monitor');
    await atBroker(system, async (channel) => {
      const lose = async (when: string, isTime: () => Promise<boolean>) => {
        monitor!.process.freeze();
        const waiting = async () => (await channel.checkQueue(monitorEvents.name)).messageCount;
        await until(when, async () => (await isTime()) && (await waiting()) > 0, 30_000);
        const { messageCount } = await channel.purgeQueue(monitorEvents.name);
        monitor!.process.thaw();
        expect(messageCount).toBeGreaterThan(0);
      };
      await lose('events that wait', () => Promise.resolve(true));
      await lose('its last record', async () => (await system.receipts.countDocuments({ tenantId: job.tenant })) === 0);
    });
    await expectAllGone(system, job);
  }, 300_000);

  it('after the queue of its slices was deleted', async () => {
    const job = await jobUnderWay(system, RECORDS);
    await atBroker(system, (channel) => channel.deleteQueue(deleterSlices.name));
    await expectAllGone(system, job);
  });

  it('after SIGKILL of all services at once', async () => {
    const job = await jobUnderWay(system, RECORDS);
    const before = system.services.all.map(({ process }) => process.pid);
    for (const { process } of system.services.all) process.kill('SIGKILL');
    const again = () => system.services.all.every(({ process }, i) => process.running && process.pid !== before[i]);
    await until('other processes', again, 60_000);
    await expectAllGone(system, job);
  });
});

describe('with two of each worker', () => {
  let system: System;
  beforeAll(async () => {
    system = await System.start({ deleters: 2, cleaners: 2, monitors: 2 });
  }, 120_000);
  afterAll(() => system.stop(), 60_000);

  it('a job completes with exact counts and no orphan after 20 s in which one is killed every second', async () => {
    const job = await jobUnderWay(system, 4_000, 2);
    const workers = system.services.all.filter(({ service }) => service !== 'api');
    const killed: string[] = [];
    const massacre = setInterval(() => {
      const alive = workers.filter(({ process }) => process.running);
      const victim = alive[Math.floor(Math.random() * alive.length)];
      if (victim) killed.push(victim.name);
      victim?.process.kill('SIGKILL');
    }, 1000);
    try {
      await until('10 deaths', () => killed.length >= 10, 60_000);
      expect((await system.left(job.tenant)).ids.length).toBeGreaterThan(0);
      await until('20 deaths', () => killed.length >= 20, 60_000);
    } finally {
      clearInterval(massacre);
    }
    await expectAllGone(system, job, 240_000).catch((error: unknown) => {
      throw new Error(`after the deaths of ${killed.join(', ')}`, { cause: error });
    });
  }, 400_000);
});

async function atBroker<T>(system: System, work: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = await connect(system.stack.rabbitmq.url);
  try {
    return await work(await connection.createChannel());
  } finally {
    await connection.close();
  }
}
