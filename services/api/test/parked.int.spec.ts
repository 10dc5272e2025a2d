import { type AnyMessage, EventsWanted, parkedQueue, workQueues } from '@expunge/contracts';
import type { Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { Bystander } from './broker.js';
import { type RequestOptions, type RunningApi, startApi } from './running-api.js';

jest.setTimeout(60_000);

const JOBS = workQueues.deleterJobs.name;
const BATCHES = workQueues.storageCleanerBatches.name;
const AT = '2026-11-23T12:00:00.000Z';

let vhost: Vhost;
let database: Database;
let bystander: Bystander;
let prefix: string;
let api: RunningApi;

beforeAll(async () => {
  [vhost, database] = await Promise.all([freshVhost(), freshDatabase('api')]);
  bystander = new Bystander(vhost.url);
  prefix = `${unique('parked')}-`;
  api = await startApi({ RABBITMQ_URL: vhost.url, MONGODB_URL: database.url, DATABASE_PREFIX: prefix });
  expect(await api.broker.whenConnected(10_000)).toBe(true);
});

afterAll(async () => {
  await api.stop();
  await bystander.close();
  const client = await MongoClient.connect(database.url);
  await client.db(`${prefix}api`).dropDatabase();
  await client.close();
  await vhost.drop();
});

beforeEach(() => bystander.empty());

const message = (n: number) =>
  EventsWanted.create({
    id: `wanted-${n}`,
    source: '/test',
    subject: `job-${n}`,
    tenantid: n % 2 === 0 ? 'acme' : 'other',
    time: AT,
    data: { after: n },
  });
const park = (queue: string, body: AnyMessage | string) =>
  bystander.put(parkedQueue(queue), typeof body === 'string' ? body : JSON.stringify(body), {
    'x-parked-reason': 'ValidationError: too old',
    'x-parked-at': AT,
    'x-queue': queue,
    'x-attempt': 5,
  });
const list = (query = '', options: RequestOptions = {}) =>
  api.request('GET', `/api/parked${query}`, { scope: 'ops:read', ...options });
const replay = (queue: string, body?: unknown, options: RequestOptions = {}) =>
  api.request('POST', `/api/parked/${queue}/replay`, { scope: 'ops:write', body, ...options });

describe('what is parked', () => {
  test('is listed by queue, of all tenants, with the reason, and of its body no more than what it is about', async () => {
    await park(JOBS, message(1));
    await park(JOBS, message(2));
    await park(BATCHES, '{"secret": "key"}');
    const { status, headers, body } = await list();
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    const shown = (n: number, tenant: string) => ({
      message_id: `wanted-${n}`,
      type: 'EventsWanted',
      job: `job-${n}`,
      tenant,
      reason: 'ValidationError: too old',
      parked_at: AT,
      first_death_queue: JOBS,
      attempt: 5,
      size: JSON.stringify(message(n)).length,
    });
    const unread = { message_id: null, type: null, job: null, tenant: null, size: 17, first_death_queue: BATCHES };
    expect(body).toEqual({
      queues: [
        { queue: JOBS, count: 2, messages: [shown(1, 'other'), shown(2, 'acme')] },
        { queue: workQueues.deleterSlices.name, count: 0, messages: [] },
        { queue: BATCHES, count: 1, messages: [{ ...shown(1, 'other'), ...unread }] },
        { queue: workQueues.monitorEvents.name, count: 0, messages: [] },
      ],
    });
  });

  test('is listed up to a limit a queue, and counted whole', async () => {
    for (let n = 1; n <= 3; n++) await park(JOBS, message(n));
    const { body } = await list('?limit=2');
    const [jobs] = body['queues'] as { count: number; messages: unknown[] }[];
    expect([jobs?.count, jobs?.messages.length]).toEqual([3, 2]);
    expect(await list('?limit=101')).toMatchObject({ status: 400, body: { errors: [{ parameter: 'limit' }] } });
  });

  test('is put back as many as were asked for, and then handled as a first attempt', async () => {
    for (let n = 1; n <= 3; n++) await park(JOBS, message(n));
    const { status, body } = await replay(JOBS, { count: 2 });
    expect([status, body]).toEqual([200, { queue: JOBS, replayed: 2, remaining: 1 }]);
    expect((await bystander.take(JOBS, 2)).map(({ id }) => id)).toEqual(['wanted-1', 'wanted-2']);
    expect(await replay(JOBS, { count: 1000 })).toMatchObject({ status: 200, body: { replayed: 1, remaining: 0 } });
    expect(await replay(JOBS, { count: 1 })).toMatchObject({ status: 200, body: { replayed: 0, remaining: 0 } });
    const put = api.logged.filter((line) => line.includes('parked messages were put back'));
    expect(JSON.parse(put[0] ?? '')).toMatchObject({ queue: JOBS, asked: 2, replayed: 2, by: 'acme' });
  });

  test('is not put back without a queue that there is, and a number', async () => {
    await park(JOBS, message(1));
    expect(await replay('deleter.jobs.parked', { count: 1 })).toMatchObject({
      status: 404,
      body: { code: 'not-found', detail: expect.stringContaining('storage-cleaner.batches') },
    });
    for (const body of [{}, { count: 0 }, { count: 1001 }, { count: '1' }]) {
      expect(await replay(JOBS, body)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/count' }] } });
    }
    expect(await replay(JOBS)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/count' }] } });
    const headers = { 'content-type': 'text/plain' };
    expect(await replay(JOBS, 'count=1', { headers })).toMatchObject({ status: 415 });
    expect(await bystander.depth(parkedQueue(JOBS))).toBe(1);
  });

  test('is shown and put back only with scopes of operations', async () => {
    await park(JOBS, message(1));
    const others = { scope: 'jobs:read jobs:write ops:write' };
    expect(await list('', others)).toMatchObject({ status: 403, body: { code: 'insufficient-scope' } });
    expect(await replay(JOBS, { count: 1 }, { scope: 'jobs:write ops:read' })).toMatchObject({ status: 403 });
    expect(await list('', { token: null })).toMatchObject({ status: 401 });
    expect(await bystander.depth(parkedQueue(JOBS))).toBe(1);
  });

  test('stays parked while its queue is missing, and both the list and the broker say so', async () => {
    await park(JOBS, message(1));
    await bystander.deleteQueue(JOBS);
    expect(await replay(JOBS, { count: 1 })).toMatchObject({
      status: 503,
      body: { code: 'store-unavailable', replayed: 0, remaining: 1 },
    });
    await bystander.assertTopology();
    expect(await replay(JOBS, { count: 1 })).toMatchObject({ status: 200, body: { replayed: 1 } });
  });

  test('cannot be told without its queue, rather than being none', async () => {
    await bystander.deleteQueue(parkedQueue(JOBS));
    expect(await list()).toMatchObject({ status: 503, body: { code: 'store-unavailable' } });
    await bystander.assertTopology();
    expect(await list()).toMatchObject({ status: 200 });
  });
});
