import { randomBytes } from 'node:crypto';
import {
  DiagnosisAnswer,
  HealthAnswer,
  MAINTENANCE_EXCHANGE,
  RollCallAnswer,
  WorkerHeartbeat,
  WorkersAnswer,
} from '@expunge/contracts';
import { createVhost, Management, until, type Vhost } from '@expunge/local-stack';
import { openStore, type Store } from '@expunge/runtime/store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Channel } from 'amqplib';
import { BrokerLook } from '../src/topology/broker-look.service.js';
import { ManagementApi, type ManagementView } from '../src/topology/management.adapter.js';
import { Story } from '../src/testing/story.js';
import { type MonitorApp, startMonitor } from './monitor-app.js';
import { connectAs, silent, testServer } from './servers.js';

jest.setTimeout(90_000);

/** The stats of the broker are seconds old. */
const SOON = 20_000;

const management = testServer('RABBITMQ_MANAGEMENT_URL');
let store: Store;
let vhost: Vhost;
let databasePrefix: string;
let monitor: MonitorApp | null;
let other: Awaited<ReturnType<typeof connectAs>>;
let channel: Channel;

beforeAll(() => {
  store = openStore(testServer('MONGODB_URL'), 'test', silent);
});

beforeEach(async () => {
  const name = `topology-${randomBytes(6).toString('hex')}`;
  databasePrefix = `${name}-`;
  vhost = await createVhost(testServer('RABBITMQ_URL'), management, name);
  other = await connectAs('deleter', vhost.url);
  channel = await other.broker.openChannel();
});

afterEach(async () => {
  await monitor?.stop();
  await other.close();
  await vhost.drop();
  await store.db(`${databasePrefix}monitor`).dropDatabase();
});

afterAll(() => store.close());

/** Once it listens: what is taken away from then on it does not declare again as it connects. */
async function start(url = management): Promise<MonitorApp> {
  monitor = await startMonitor({
    rabbitmq: vhost.url,
    mongodb: testServer('MONGODB_URL'),
    databasePrefix,
    management: url,
  });
  const listens = async () => (await channel.checkQueue('monitor.events')).consumerCount === 1;
  await until('the monitor listens', listens, SOON);
  return monitor;
}

const workers = async (): Promise<WorkersAnswer> =>
  WorkersAnswer.parse((await monitor?.get('/internal/workers'))?.body);
const queue = async (name: string) => (await workers()).queues.find((one) => one.name === name);
const rollCall = async () => RollCallAnswer.parse((await monitor?.get('/internal/workers/events'))?.body).events;

describe('who listens', () => {
  it('is told by name, host and version, and what is missing', async () => {
    const { identity } = await start();
    await until(
      'its own consumer is listed',
      async () => (await queue('monitor.events'))?.consumers?.[0]?.host === identity.host,
      SOON,
    );
    expect(await queue('monitor.events')).toMatchObject({
      service: 'monitor',
      present: true,
      missing: [],
      unexpected: [],
      consumers: [
        { service: 'monitor', instance: identity.instance, host: identity.host, version: 'test', expected: true },
      ],
    });
    expect(await queue('deleter.jobs')).toMatchObject({
      present: true,
      consumers: [],
      missing: ['a consumer of deleter'],
    });
    expect(await workers()).toMatchObject({ listensToMaintenance: false, notChecked: [] });
  });

  it('follows bindings through other exchanges, and misses the one that was taken away', async () => {
    await start();
    await channel.assertExchange('audit', 'fanout');
    await channel.bindExchange('audit', MAINTENANCE_EXCHANGE, 'delete.#');
    await channel.bindQueue('deleter.jobs', 'audit', '');
    await channel.unbindQueue('storage-cleaner.batches', MAINTENANCE_EXCHANGE, 'batch.deleted');
    const seen = async () =>
      (await queue('deleter.jobs'))?.unexpected.includes('binding  through exchange audit') === true;
    await until('the way round is seen', seen, SOON);
    expect((await queue('storage-cleaner.batches'))?.missing).toEqual([
      'binding batch.deleted',
      'a consumer of storage-cleaner',
    ]);
  });

  it('finds a stranger that takes messages, and says when it came and left', async () => {
    await start();
    const { consumerTag } = await channel.consume('deleter.jobs', () => undefined);
    await until(
      'it is seen',
      async () => (await queue('deleter.jobs'))?.unexpected[0] === `consumer ${consumerTag}`,
      SOON,
    );
    const told = async (type: string) =>
      (await rollCall()).some((event) => event.type === type && JSON.stringify(event.data).includes(consumerTag));
    await until('its coming is an event', () => told('ConsumerAttached'), SOON);
    await channel.cancel(consumerTag);
    await until('its leaving is an event', () => told('ConsumerDetached'), SOON);
  });

  it('is told as far as passive declares go where the management API is off, and what was not checked', async () => {
    await start('http://user:password@127.0.0.1:9');
    await channel.deleteQueue('storage-cleaner.batches');
    const seen = async () => (await queue('storage-cleaner.batches'))?.present === false;
    await until('the missing queue is seen', seen, SOON);
    expect(await queue('deleter.jobs')).toMatchObject({ present: true, consumers: null, consumerCount: 0 });
    expect(await queue('monitor.events')).toMatchObject({ consumerCount: 1, missing: [] });
    const { notChecked } = await workers();
    expect(notChecked.map(({ what }) => what)).toEqual(['bindings', 'consumers', 'alarms']);
    expect(notChecked[0]?.why).toContain('the management API does not answer');
    expect(JSON.stringify(notChecked)).not.toContain('password');
  });

  it('says so when its user may not see the consumers of others', async () => {
    const broker = new Management(management);
    const user = `limited-${randomBytes(4).toString('hex')}`;
    await broker.putUser(user, 'secret', ['management']);
    try {
      await broker.permit(new URL(vhost.url).pathname.slice(1), user);
      const limited = new URL(management);
      [limited.username, limited.password] = [user, 'secret'];
      await start(limited.href);
      const said = async () =>
        (await workers()).notChecked.some(({ why }) => why.includes('lacks the tag "monitoring"'));
      await until('it says so', said, SOON);
      expect((await queue('deleter.jobs'))?.consumers).toBeNull();
    } finally {
      await broker.deleteUser(user);
    }
  });
});

describe('what the management API tells late, or wrongly', () => {
  const lookWith = async (change: (seen: ManagementView) => Partial<ManagementView>) => {
    const real = new ManagementApi(management, vhost.url);
    const look = async () => {
      const seen = await real.look();
      return { ...seen, ...change(seen) };
    };
    return new BrokerLook(other.broker, Object.assign(Object.create(real) as ManagementApi, { look }), silent).take();
  };

  it('is asked of the queue itself: how many consume, where they may not be listed', async () => {
    await start();
    const { queues } = await lookWith((seen) => ({
      queues: seen.queues?.map((one) => ({ ...one, consumerCount: one.name === 'monitor.events' ? 0 : 7 })) ?? null,
      consumers: null,
    }));
    const countOf = (name: string) => queues?.find((one) => one.name === name)?.consumerCount;
    expect(['monitor.events', 'deleter.jobs'].map(countOf)).toEqual([1, 0]);
  });

  it('is nobody: who is listed without a connection, and whom the queue does not count', async () => {
    await start();
    const listed = (queue: string) => ({ queue, tag: `tag-of-${queue}`, prefetch: 1, connection: null });
    const { consumers } = await lookWith(() => ({
      consumers: ['monitor.events', 'deleter.jobs'].map(listed),
    }));
    expect(consumers).toEqual([listed('monitor.events')]);
  });
});

describe('a job that nobody takes', () => {
  const diagnosisOf = async (job: string) =>
    DiagnosisAnswer.parse((await monitor?.get(`/internal/jobs/${job}/diagnosis?tenant=tenant-1`))?.body).diagnosis;
  const verdictsOf = async (job: string) =>
    store
      .db(`${databasePrefix}monitor`)
      .collection<{ job: string; type: string; message: { data: { code: string | null; previous: string | null } } }>(
        'ledger',
      )
      .find({ job, type: 'JobDiagnosisChanged' })
      .sort({ position: 1 })
      .toArray();

  it('is told why, as events too, until it goes on', async () => {
    await start();
    const story = new Story('job-1', Date.now()).requested();
    await other.publisher.publish(story.events[0]!);
    await until(
      'the verdict',
      async () => (await diagnosisOf('job-1').catch(() => null))?.code === 'CONSUMER:NONE',
      SOON,
    );
    const diagnosis = await diagnosisOf('job-1');
    expect(diagnosis).toMatchObject({ severity: 'blocking', nextActions: ['Start a deleter.'] });
    expect(diagnosis.evidence).toEqual([
      expect.objectContaining({ source: 'broker', check: 'consumers of deleter.jobs', observed: '0 of ours' }),
      expect.objectContaining({ source: 'heartbeat', check: 'heartbeats of deleter', observed: 'none' }),
    ]);
    await until('the verdict is an event', async () => (await verdictsOf('job-1')).length === 1, SOON);
    const shown = (await monitor?.get('/internal/jobs/job-1?tenant=tenant-1'))?.body as {
      job: { diagnosis: { code: string } };
    };
    expect(shown.job.diagnosis.code).toBe('CONSUMER:NONE');

    const { broker } = other;
    const beat = WorkerHeartbeat.create({
      id: 'beat-1',
      source: '/deleter/test',
      subject: 'test',
      time: new Date().toISOString(),
      data: {
        service: 'deleter',
        instance: broker.identity.instance,
        host: 'h',
        pid: 1,
        version: 'test',
        startedAt: new Date().toISOString(),
        state: 'running',
        ready: true,
        consumes: ['deleter.jobs', 'deleter.slices'],
        doing: null,
        lastError: null,
        sequences: {},
        missingIndexes: null,
      },
    });
    const heartbeat = setInterval(() => void other.publisher.publish(beat).catch(() => undefined), 1000);
    for (const name of ['deleter.jobs', 'deleter.slices']) {
      await channel.consume(name, () => undefined, { consumerTag: `deleter@${broker.identity.instance}:${name}` });
    }
    await other.publisher.publish(story.started().events[1]!);
    await until('it is cleared', async () => (await diagnosisOf('job-1')).code === null, SOON);
    const cleared = async () => (await verdictsOf('job-1')).map(({ message: { data } }) => data.code).at(-1) === null;
    await until('that is an event', cleared, SOON);
    clearInterval(heartbeat);
    const told = (await verdictsOf('job-1')).map(({ message: { data } }) => [data.previous, data.code]);
    expect(told[0]).toEqual([null, 'CONSUMER:NONE']);
    expect(told.at(-1)?.[1]).toBeNull();
  });

  it('is none of another tenant', async () => {
    await start();
    await other.publisher.publish(new Story('job-2', Date.now()).requested().events[0]!);
    await until(
      'it is known',
      async () => (await monitor?.get('/internal/jobs/job-2?tenant=tenant-1'))?.status === 200,
      SOON,
    );
    expect((await monitor?.get('/internal/jobs/job-2/diagnosis?tenant=another'))?.status).toBe(404);
  });
});

it('says what is wrong with the whole', async () => {
  await start();
  const health = async () => HealthAnswer.parse((await monitor?.get('/internal/health'))?.body);
  const folds = async () => (await health()).fold.status === 'ok';
  await until('the fold is fresh', folds, SOON);
  expect(await health()).toMatchObject({ status: 'down', workerConfig: { status: 'down' } });
  expect((await health()).reasons.join()).toContain('deleter.jobs lacks a consumer of deleter');
});
