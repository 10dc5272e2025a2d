import { workQueues } from '@expunge/contracts';
import type { Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { openApiOf } from '../src/openapi/document.js';
import { Bystander } from './broker.js';
import { type RunningApi, startApi } from './running-api.js';
import { jobView, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(60_000);

let vhost: Vhost;
let database: Database;
let bystander: Bystander;
let monitor: StandInMonitor;
let client: MongoClient;
let prefix: string;
let api: RunningApi;

beforeAll(async () => {
  [vhost, database, monitor] = await Promise.all([freshVhost(), freshDatabase('api'), standInMonitor()]);
  bystander = new Bystander(vhost.url);
  client = await MongoClient.connect(database.url);
  prefix = `${unique('query')}-`;
  monitor.jobs.set('job-1', jobView('job-1', 'acme'));
  const environment = { RABBITMQ_URL: vhost.url, MONGODB_URL: database.url, DATABASE_PREFIX: prefix };
  api = await startApi({ ...environment, MONITOR_URLS: monitor.url });
  expect(await api.broker.whenConnected(10_000)).toBe(true);
});

afterAll(async () => {
  await api.stop();
  await Promise.all([bystander.close(), monitor.stop()]);
  await client.db(`${prefix}api`).dropDatabase();
  await client.close();
  await vhost.drop();
});

const scope = 'jobs:read jobs:write ops:read ops:write';
const everything = { resource: 'receipts', selection: { all: true } };
/** But for their query these are right. */
const bodies: Partial<Record<string, unknown>> = {
  createJob: everything,
  changeRate: { max_records_per_second: 5 },
  replayParked: { count: 1 },
};
const parts: Record<string, string> = { id: 'job-1', name: 'receipts', queue: workQueues.deleterJobs.name };

const operations = Object.entries(openApiOf('test').paths ?? {}).flatMap(([path, methods]) =>
  Object.entries(methods as Record<string, { operationId: string }>).map(
    ([method, { operationId }]) => [method.toUpperCase(), path, operationId] as const,
  ),
);

test.each(operations)('%s %s refuses a parameter that it does not know, by its name', async (method, path, id) => {
  const address = path.replaceAll(/\{(\w+)\}/g, (_, part: string) => parts[part] ?? '');
  const { status, body } = await api.request(method, `${address}?unknown=1`, { scope, body: bodies[id] });
  expect({ status, code: body['code'], errors: body['errors'] }).toEqual({
    status: 400,
    code: 'invalid-request',
    errors: [{ parameter: 'unknown', detail: 'is not known here' }],
  });
});

test.each(['/api/openapi.json', '/api/docs'])('so does %s', async (path) => {
  expect((await api.request('GET', `${path}?unknown=1`, { token: null })).status).toBe(400);
});

test('an option in the address, where it would not be read, deletes nothing', async () => {
  const { status, body } = await api.request('POST', '/api/jobs?dry_run=true&batch_size=5', { body: everything });
  expect([status, body['detail']]).toEqual([400, 'dry_run is not known here; batch_size is not known here']);
  expect(await bystander.depth(workQueues.deleterJobs.name)).toBe(0);
  expect(await client.db(`${prefix}api`).collection('acceptances').countDocuments()).toBe(0);
});

test('what is not of the API takes any parameter', async () => {
  expect((await api.request('GET', '/health/live?from=probe')).status).toBe(200);
});
