import type { AnyMessage } from '@expunge/contracts';
import type { Vhost } from '@expunge/local-stack';
import { openStore, type Store } from '@expunge/runtime/store';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Collection } from 'mongodb';
import { pino } from 'pino';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { type Acceptance, deleteRequestedOf, newAcceptance } from '../src/acceptance/acceptance.js';
import { UnheardSweep } from '../src/acceptance/unheard-sweep.service.js';
import { Bystander } from './broker.js';
import { type RunningApi, startApi } from './running-api.js';
import { FRESH, jobView, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(60_000);

const everything = { resource: 'receipts', selection: { all: true } };
const [jobs, events] = ['deleter.jobs', 'monitor.events'];

let vhost: Vhost;
let database: Database;
let bystander: Bystander;
let monitor: StandInMonitor;
let store: Store;
let acceptances: Collection<Acceptance>;
let environment: Record<string, string>;
let api: RunningApi;
let sweep: UnheardSweep;

beforeAll(async () => {
  vhost = await freshVhost();
  database = await freshDatabase('api');
  bystander = new Bystander(vhost.url);
  monitor = await standInMonitor();
  store = openStore(database.url, 'test', pino({ level: 'silent' }));
  const prefix = `${unique('unheard')}-`;
  acceptances = store.db(`${prefix}api`).collection('acceptances');
  environment = {
    RABBITMQ_URL: vhost.url,
    MONGODB_URL: database.url,
    DATABASE_PREFIX: prefix,
    MONITOR_URLS: monitor.url,
  };
  api = await startApi(environment);
  expect(await api.broker.whenConnected(10_000)).toBe(true);
  sweep = api.app.get(UnheardSweep);
});

afterAll(async () => {
  await api.stop();
  await acceptances.db.dropDatabase();
  await store.close();
  await monitor.stop();
  await bystander.close();
  await vhost.drop();
});

beforeEach(async () => {
  await acceptances.deleteMany({});
  await bystander.empty();
  Object.assign(monitor, { fail: 'no', asOf: FRESH, asked: [] });
  monitor.jobs.clear();
});

/** Accepted, and then lost with both queues before anybody read it. */
async function acceptedAndLost(): Promise<{ id: string; message: AnyMessage | undefined; acceptedAt: number }> {
  const { status, body } = await api.request('POST', '/api/jobs', { body: everything });
  expect(status).toBe(202);
  const [message] = await bystander.take(jobs);
  await bystander.empty();
  return { id: String(body.id), message, acceptedAt: Date.now() };
}

const left = (id: string, time = new Date(), validForMs = 3_600_000): Acceptance => {
  const request = { ...everything, selection: { all: true as const }, options: { batchSize: 500 }, reason: null };
  return newAcceptance(id, { tenant: 'acme', requestedBy: 'ann', request }, time, validForMs);
};

const askedFor = (id: string): number => monitor.asked.filter((path) => path.includes(id)).length;

describe('an accepted request that both queues lost before anybody read it', () => {
  test('is published again to both after 15 s, with the same id, time and body, and then after pauses that grow', async () => {
    const { message, acceptedAt } = await acceptedAndLost();
    await sweep.run(new Date(acceptedAt + 10_000));
    expect(await bystander.depth(jobs)).toBe(0);

    for (const [seconds, depth] of [
      [15, 1],
      [29, 1],
      [30, 2],
      [59, 2],
      [60, 3],
    ] as const) {
      await sweep.run(new Date(acceptedAt + seconds * 1000));
      expect([seconds, await bystander.depth(jobs)]).toEqual([seconds, depth]);
    }
    expect(await bystander.take(jobs, 3)).toEqual([message, message, message]);
    expect(await bystander.take(events, 3)).toEqual([message, message, message]);
  });

  test('is marked as heard once a monitor knows it, and then left alone, though still told from its acceptance', async () => {
    const { id, acceptedAt } = await acceptedAndLost();
    monitor.jobs.set(id, jobView(id, 'acme'));
    await sweep.run(new Date(acceptedAt + 15_000));
    expect(await acceptances.findOne({ _id: id })).toMatchObject({ state: 'heard' });

    monitor.jobs.clear();
    await sweep.run(new Date(acceptedAt + 600_000));
    expect(askedFor(id)).toBe(1);
    expect(await bystander.depth(jobs)).toBe(0);
    expect(await api.request('GET', `/api/jobs/${id}`)).toMatchObject({ status: 200, body: { status: 'queued' } });
  });

  test.each([
    ['has been silent', { asOf: { ...FRESH, monitorHeartbeatAgeMs: 6000, lagMs: null } }],
    ['lags', { asOf: { ...FRESH, lagMs: 8000 } }],
    ['never folded anything', { asOf: { position: 0, at: null, lagMs: null, monitorHeartbeatAgeMs: null } }],
    ['does not answer', { fail: 'error' }],
  ])('is not published again while the monitor %s, and is once it is fresh', async (_, differs) => {
    const { id, message, acceptedAt } = await acceptedAndLost();
    Object.assign(monitor, differs);
    await sweep.run(new Date(acceptedAt + 60_000));
    expect(await bystander.depth(jobs)).toBe(0);
    expect(askedFor(id)).toBe(0);

    Object.assign(monitor, { fail: 'no', asOf: FRESH });
    await sweep.run(new Date(acceptedAt + 60_000));
    expect(await bystander.take(jobs)).toEqual([message]);
  });

  test('is published again once, though several instances look at the same time', async () => {
    const second = await startApi(environment);
    try {
      expect(await second.broker.whenConnected(10_000)).toBe(true);
      const { acceptedAt } = await acceptedAndLost();
      const now = new Date(acceptedAt + 15_000);
      await Promise.all([sweep.run(now), second.app.get(UnheardSweep).run(now)]);
      expect(await bystander.depth(jobs)).toBe(1);
    } finally {
      await second.stop();
    }
  });

  test('is published again by an instance that only finds its acceptance, by itself', async () => {
    const found: Acceptance = { ...left('found', new Date(Date.now() - 60_000)), state: 'accepted' };
    await acceptances.insertOne(found);
    expect(await bystander.take(jobs)).toEqual([deleteRequestedOf(found)]);
    expect(await acceptances.indexExists('state_1_request.notAfter_1')).toBe(true);
  });
});

test('more of them than one look takes are all published again, the longest due first', async () => {
  const ids = Array.from({ length: 250 }, (_, n) => `many-${String(n).padStart(3, '0')}`);
  // Later than the sweep that the api makes by itself meanwhile.
  const now = new Date(Date.now() + 60_000);
  const lookAt = (n: number): string => new Date(now.getTime() - 250 + n).toISOString();
  await acceptances.insertMany(ids.map((id, n) => ({ ...left(id), state: 'accepted', lookAt: lookAt(n) })));
  await sweep.run(now);
  expect(await bystander.depth(jobs)).toBe(200);
  await sweep.run(now);
  expect((await bystander.take(jobs, 250)).map(({ subject }) => subject)).toEqual(ids);
});

test('what nobody was told to be accepted, or is no longer valid, is left as it is', async () => {
  const hourAgo = new Date(Date.now() - 3_600_000);
  const all: Acceptance[] = [
    left('pending', hourAgo, 7_200_000),
    { ...left('refused', hourAgo, 7_200_000), state: 'refused' },
    { ...left('late', hourAgo, 3_599_000), state: 'accepted' },
  ];
  await acceptances.insertMany(all);
  await sweep.run(new Date());
  expect(await bystander.depth(jobs)).toBe(0);
  expect(await acceptances.find().sort({ attempts: 1, _id: -1 }).toArray()).toEqual([all[1], all[0], all[2]]);
});

test('a request whose acceptance cannot be marked is of unknown outcome: nobody would publish it again', async () => {
  await acceptances.insertOne({ ...left('only'), state: 'accepted' });
  const onlyOne = { key: { state: 1 as const }, unique: true, partialFilterExpression: { state: 'accepted' } };
  await acceptances.createIndexes([{ ...onlyOne, name: 'only-one' }]);
  try {
    const answer = await api.request('POST', '/api/jobs', { body: everything });
    expect(answer).toMatchObject({ status: 503, body: { code: 'outcome-unknown' } });
    expect(await bystander.take(jobs)).toMatchObject([{ subject: answer.body.job_id }]);
    expect(await acceptances.findOne({ _id: String(answer.body.job_id) })).toMatchObject({ state: 'pending' });
  } finally {
    await acceptances.dropIndex('only-one');
  }
});
