import type { Vhost } from '@expunge/local-stack';
import { openStore, type Store } from '@expunge/runtime/store';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Collection } from 'mongodb';
import { pino } from 'pino';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { type Acceptance, type AcceptanceState, jobIdOfKey, newAcceptance } from '../src/acceptance/acceptance.js';
import { AcceptanceRepository } from '../src/acceptance/acceptance.repository.js';
import { OverSweep } from '../src/acceptance/over-sweep.service.js';
import { Bystander } from './broker.js';
import { type RunningApi, startApi } from './running-api.js';
import { jobView, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;
const jobs = 'deleter.jobs';
const everything = { resource: 'receipts', selection: { all: true } };

let vhost: Vhost;
let database: Database;
let bystander: Bystander;
let monitor: StandInMonitor;
let store: Store;
let acceptances: Collection<Acceptance>;
let api: RunningApi;

beforeAll(async () => {
  vhost = await freshVhost();
  database = await freshDatabase('api');
  bystander = new Bystander(vhost.url);
  monitor = await standInMonitor();
  store = openStore(database.url, 'test', pino({ level: 'silent' }));
  const prefix = `${unique('over')}-`;
  acceptances = store.db(`${prefix}api`).collection('acceptances');
  api = await startApi({
    RABBITMQ_URL: vhost.url,
    MONGODB_URL: database.url,
    DATABASE_PREFIX: prefix,
    MONITOR_URLS: monitor.url,
  });
  expect(await api.broker.whenConnected(10_000)).toBe(true);
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
  monitor.jobs.clear();
});

/** Valid until so many hours ago. */
function left(id: string, hoursAgo: number, state: AcceptanceState = 'heard'): Acceptance {
  const request = { ...everything, selection: { all: true as const }, options: { batchSize: 2000 }, reason: null };
  const time = new Date(Date.now() - (hoursAgo + 1) * HOUR_MS);
  return { ...newAcceptance(id, { tenant: 'acme', requestedBy: 'ann', request }, time, HOUR_MS), state };
}

const get = async (id: string): Promise<number> => (await api.request('GET', `/api/jobs/${id}`)).status;
const post = (key: string) =>
  api.request('POST', '/api/jobs', { body: everything, headers: { 'idempotency-key': key } });

describe('an acceptance', () => {
  test.each(['accepted', 'heard'] as const)(
    'that is %s tells of its job until a day after its notAfter; from then on a job that no monitor knows is none',
    async (state) => {
      await acceptances.insertMany([left('young', 23, state), left('over', 25, state)]);
      expect([await get('young'), await get('over')]).toEqual([200, 404]);
      monitor.jobs.set('over', jobView('over', 'acme'));
      expect(await get('over')).toBe(200);
    },
  );

  test('is removed a day after its notAfter, whatever became of it', async () => {
    const states = ['pending', 'accepted', 'heard', 'refused'] as const;
    await acceptances.insertMany(
      states.flatMap((state) => [left(`young-${state}`, 23, state), left(`over-${state}`, 25, state)]),
    );
    await api.app.get(OverSweep).run(new Date());
    const ids = (await acceptances.find().toArray()).map(({ _id }) => _id);
    expect(ids.sort()).toEqual(states.map((state) => `young-${state}`).sort());
  });

  test('is removed in rounds of a thousand', async () => {
    await acceptances.insertMany(Array.from({ length: 1100 }, (_, n) => left(`over-${n}`, 25)));
    await api.app.get(OverSweep).run(new Date());
    expect(await acceptances.countDocuments()).toBe(100);
    await api.app.get(OverSweep).run(new Date());
    expect(await acceptances.countDocuments()).toBe(0);
  });
});

describe('an idempotency key whose acceptance is removed', () => {
  test('is a 422 as long as its job is kept, and begins no second one', async () => {
    const key = unique('key');
    const id = jobIdOfKey('acme', key);
    monitor.jobs.set(id, jobView(id, 'acme'));
    expect(await post(key)).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused', job_id: id } });
    expect(await acceptances.countDocuments()).toBe(0);
    expect(await bystander.depth(jobs)).toBe(0);
  });

  test('begins a job when the first one is gone', async () => {
    const key = unique('key');
    expect(await post(key)).toMatchObject({ status: 202, body: { id: jobIdOfKey('acme', key) } });
    expect(await bystander.depth(jobs)).toBe(1);
  });
});

test('a request that meets its twin between looking for the acceptance and asking a monitor is the same job', async () => {
  const key = unique('key');
  const id = jobIdOfKey('acme', key);
  await acceptances.insertOne({ ...left(id, -1), time: new Date().toISOString() });
  monitor.jobs.set(id, jobView(id, 'acme'));
  const repository = api.app.get(AcceptanceRepository);
  // It looked before its twin had stored it.
  Object.defineProperty(repository, 'find', {
    configurable: true,
    value: () => {
      Reflect.deleteProperty(repository, 'find');
      return Promise.resolve(null);
    },
  });
  expect(await post(key)).toMatchObject({ status: 202, body: { id } });
  expect(Object.hasOwn(repository, 'find')).toBe(false);
  expect(await bystander.depth(jobs)).toBe(0);
});
