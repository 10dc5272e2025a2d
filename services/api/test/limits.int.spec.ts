import { until, type Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { type RunningApi, startApi } from './running-api.js';
import { type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(60_000);

const PER_SECOND = 5;
const everything = { resource: 'receipts', selection: { all: true } };

let vhost: Vhost;
let database: Database;
let monitor: StandInMonitor;
let environment: Record<string, string>;
let api: RunningApi;

beforeAll(async () => {
  [vhost, database, monitor] = [await freshVhost(), await freshDatabase('limits'), await standInMonitor()];
  environment = {
    RABBITMQ_URL: vhost.url,
    MONGODB_URL: database.url,
    DATABASE_PREFIX: `${unique('limits')}-`,
    MONITOR_URLS: monitor.url,
    REQUESTS_PER_SECOND: String(PER_SECOND),
  };
  api = await startApi({ ...environment, DEFAULT_RATE: '30' });
  expect(await api.broker.whenConnected(10_000)).toBe(true);
});

afterAll(async () => {
  await api.stop();
  await monitor.stop();
  const client = await MongoClient.connect(database.url);
  await client.db(`${environment['DATABASE_PREFIX']}api`).dropDatabase();
  await client.close();
  await vhost.drop();
});

describe('a tenant who asks too often', () => {
  const list = (tenant: string) => api.request('GET', '/api/jobs', { tenant });

  test('is told when to ask again, and takes no other tenant’s share', async () => {
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 6 * PER_SECOND }, () => list('eager')));
    const refused = answers.filter(({ status }) => status === 429);
    const passed = answers.filter(({ status }) => status === 200);
    // However slowly they were taken: no second lets more through, and none less.
    const seconds = Math.floor((performance.now() - began) / 1000) + 1;
    expect(passed.length).toBeGreaterThanOrEqual(PER_SECOND);
    expect(passed.length).toBeLessThanOrEqual(seconds * PER_SECOND);
    expect(passed.length + refused.length).toBe(answers.length);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers, body } of refused) {
      expect(body).toMatchObject({ type: 'urn:expunge:problem:too-many-requests', code: 'too-many-requests' });
      expect(headers.get('retry-after')).toBe('1');
    }
    expect((await list('patient')).status).toBe(200);
    await until('it may ask again', async () => (await list('eager')).status === 200, 10_000);
  });
});

describe('a job that asks for no rate', () => {
  const post = (to: RunningApi, body: object, key = unique('key')) =>
    to.request('POST', '/api/jobs', { body, headers: { 'idempotency-key': key }, tenant: unique('tenant') });

  test('has that of DEFAULT_RATE, and one that asks has its own', async () => {
    expect((await post(api, everything)).body).toMatchObject({ max_records_per_second: 30 });
    const own = { ...everything, options: { max_records_per_second: 7 } };
    expect((await post(api, own)).body).toMatchObject({ max_records_per_second: 7 });
  });

  test('is the same job when it is asked for again once DEFAULT_RATE is another', async () => {
    const key = unique('key');
    const ask = (to: RunningApi) =>
      to.request('POST', '/api/jobs', { body: everything, headers: { 'idempotency-key': key } });
    const first = await ask(api);
    const other = await startApi(environment);
    try {
      const again = await ask(other);
      expect(again).toMatchObject({ status: 202, body: { id: first.body['id'], max_records_per_second: 30 } });
    } finally {
      await other.stop();
    }
  });
});
