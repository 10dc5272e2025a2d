import type { Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { workQueues } from '@expunge/contracts';
import { MongoClient } from 'mongodb';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { Bystander } from './broker.js';
import { type RunningApi, startApi } from './running-api.js';
import { jobView, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(60_000);

let vhost: Vhost;
let database: Database;
let bystander: Bystander;
let monitor: StandInMonitor;
let prefix: string;
let environment: Record<string, string>;
let client: MongoClient;
let api: RunningApi;

beforeAll(async () => {
  [vhost, database, monitor] = await Promise.all([freshVhost(), freshDatabase('api'), standInMonitor()]);
  bystander = new Bystander(vhost.url);
  prefix = `${unique('control')}-`;
  const { url: MONITOR_URLS } = monitor;
  environment = { RABBITMQ_URL: vhost.url, MONGODB_URL: database.url, DATABASE_PREFIX: prefix, MONITOR_URLS };
  client = await MongoClient.connect(database.url);
  api = await startApi({ ...environment, PUBLISH_WITHIN: '2s' });
  expect(await api.broker.whenConnected(10_000)).toBe(true);
});

afterAll(async () => {
  await api.stop();
  await bystander.close();
  await monitor.stop();
  await client.db(`${prefix}api`).dropDatabase();
  await client.close();
  await vhost.drop();
});

beforeEach(async () => {
  monitor.fail = 'no';
  monitor.jobs.clear();
  monitor.jobs.set('j1', jobView('j1', 'acme'));
  await bystander.empty();
});

const AT = '2026-11-01T10:00:00.000Z';
const taken = async (atLeast = 1) => bystander.take(workQueues.deleterJobs.name, atLeast);
const stands = (status: ReturnType<typeof jobView>['status']) => ({ ...jobView('j1', 'acme'), status });

describe('a request to a job', () => {
  test.each([
    ['POST', 'pause', 'running', 'PauseRequested'],
    ['POST', 'resume', 'paused', 'ResumeRequested'],
    ['POST', 'cancel', 'pausing', 'CancelRequested'],
    ['POST', 'retry', 'failed', 'RetryRequested'],
    ['POST', 'confirm', 'awaiting_confirmation', 'ConfirmRequested'],
  ] as const)('%s …/%s of a job that is %s is handed on as %s', async (method, verb, status, type) => {
    monitor.jobs.set('j1', stands(status));
    const { status: code, body } = await api.request(method, `/api/jobs/j1/${verb}`, {
      body: { reason: 'wrong month' },
    });
    expect([code, body]).toEqual([
      202,
      expect.objectContaining({
        id: 'j1',
        status,
        last_request: expect.objectContaining({ type, outcome: 'pending' }),
      }),
    ]);
    const [message] = await taken();
    expect(message).toMatchObject({
      type,
      subject: 'j1',
      tenantid: 'acme',
      id: (body['last_request'] as { id: string }).id,
      data: { requestedBy: expect.any(String), reason: 'wrong month' },
    });
  });

  test('PATCH changes the rate, or lifts it', async () => {
    for (const rate of [50, null]) {
      const answer = await api.request('PATCH', '/api/jobs/j1', { body: { max_records_per_second: rate } });
      expect(answer).toMatchObject({ status: 202, body: { last_request: { type: 'RateChangeRequested' } } });
      expect(await taken()).toMatchObject([{ data: { maxRecordsPerSecond: rate } }]);
    }
  });

  test('needs no body, and takes none that it does not know', async () => {
    expect((await api.request('POST', '/api/jobs/j1/pause')).status).toBe(202);
    const wrong = await api.request('POST', '/api/jobs/j1/pause', { body: { until: 'friday' } });
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ pointer: '/until' }] } });
    const noRate = await api.request('PATCH', '/api/jobs/j1', { body: {} });
    expect(noRate).toMatchObject({ status: 400, body: { errors: [{ pointer: '/max_records_per_second' }] } });
    expect(await api.request('POST', '/api/jobs/j1/rate-change', { body: {} })).toMatchObject({ status: 404 });
    expect(await api.request('POST', '/api/jobs/j1/explode')).toMatchObject({ status: 404 });
    expect(await taken()).toHaveLength(1);
  });

  test('is refused where the job already forbids it, and says in which state it is', async () => {
    monitor.jobs.set('j1', stands('completed'));
    expect(await api.request('POST', '/api/jobs/j1/cancel')).toMatchObject({
      status: 409,
      body: { code: 'not-allowed', job_status: 'completed', detail: 'The job is completed.' },
    });
    expect(await bystander.depth(workQueues.deleterJobs.name)).toBe(0);
  });

  test("needs jobs:write, and finds no other tenant's job", async () => {
    expect(await api.request('POST', '/api/jobs/j1/cancel', { scope: 'jobs:read' })).toMatchObject({ status: 403 });
    expect(await api.request('PATCH', '/api/jobs/j1', { scope: 'jobs:read', body: {} })).toMatchObject({ status: 403 });
    expect(await api.request('POST', '/api/jobs/j1/cancel', { tenant: 'other' })).toMatchObject({ status: 404 });
    expect(await bystander.depth(workQueues.deleterJobs.name)).toBe(0);
  });

  test('with the same Idempotency-Key is the same message', async () => {
    const headers = { 'idempotency-key': 'k-1' };
    await api.request('POST', '/api/jobs/j1/pause', { headers });
    await api.request('POST', '/api/jobs/j1/pause', { headers });
    await api.request('POST', '/api/jobs/j1/pause');
    const ids = (await taken(3)).map(({ id }) => id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('that is repeated with its key is answered with what became of it, not with what it has made impossible', async () => {
    const headers = { 'idempotency-key': 'k-2' };
    const first = await api.request('POST', '/api/jobs/j1/pause', { headers });
    const last = first.body['last_request'] as { id: string; type: string; at: string };
    const lastRequest = { ...last, reason: null };
    monitor.jobs.set('j1', { ...stands('pausing'), lastRequest: { ...lastRequest, outcome: 'pending' } });
    expect(await api.request('POST', '/api/jobs/j1/pause', { headers })).toMatchObject({ status: 202 });
    monitor.jobs.set('j1', { ...stands('paused'), lastRequest: { ...lastRequest, outcome: 'applied' } });
    expect(await api.request('POST', '/api/jobs/j1/pause', { headers })).toMatchObject({
      status: 202,
      body: { status: 'paused', last_request: { outcome: 'applied' } },
    });
    expect(await api.request('POST', '/api/jobs/j1/pause')).toMatchObject({ status: 409 });
    expect((await taken(2)).map(({ id }) => id)).toEqual([last.id, last.id]);
  });

  const slower = (key: string, rate: number, of = api) =>
    of.request('PATCH', '/api/jobs/j1', {
      body: { max_records_per_second: rate },
      headers: { 'idempotency-key': key },
    });

  test('with the key of one with another body is a 422, on another instance too, and asks nothing of the job', async () => {
    const second = await startApi(environment);
    try {
      expect((await slower('k-3', 5)).status).toBe(202);
      expect(await slower('k-3', 50, second)).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
      expect(await api.request('POST', '/api/jobs/j1/pause', { headers: { 'idempotency-key': 'k-3' } })).toMatchObject({
        status: 202,
      });
      const other = { body: { reason: 'other' }, headers: { 'idempotency-key': 'k-3' } };
      expect(await api.request('POST', '/api/jobs/j1/pause', other)).toMatchObject({ status: 422 });
      expect((await taken(2)).map(({ type }) => type)).toEqual(['RateChangeRequested', 'PauseRequested']);
    } finally {
      await second.stop();
    }
  });

  test('with the key of another job, or of another tenant’s, is its own', async () => {
    monitor.jobs.set('j2', jobView('j2', 'acme'));
    expect((await slower('k-4', 5)).status).toBe(202);
    const headers = { 'idempotency-key': 'k-4' };
    const body = { max_records_per_second: 6 };
    expect((await api.request('PATCH', '/api/jobs/j2', { body, headers })).status).toBe(202);
    monitor.jobs.set('j1', jobView('j1', 'other'));
    expect((await api.request('PATCH', '/api/jobs/j1', { body, headers, tenant: 'other' })).status).toBe(202);
    expect((await taken(3)).map(({ subject }) => subject)).toEqual(['j1', 'j2', 'j1']);
  });

  test('of two at once with one key and two bodies, on two instances, one is taken and one is a 422', async () => {
    const second = await startApi(environment);
    try {
      expect(await second.broker.whenConnected(10_000)).toBe(true);
      for (let round = 0; round < 10; round++) {
        const key = `at-once-${round}`;
        const answers = await Promise.all([slower(key, 5), slower(key, 50, second)]);
        expect(answers.map(({ status }) => status).sort()).toEqual([202, 422]);
      }
      expect(await taken(10)).toHaveLength(10);
    } finally {
      await second.stop();
    }
  });

  test('that is repeated when another has come since, and the job forbids it, takes no effect again and is no 409', async () => {
    const headers = { 'idempotency-key': 'k-7' };
    await api.request('POST', '/api/jobs/j1/pause', { headers });
    const lastRequest = { id: 'cancel', type: 'CancelRequested', outcome: 'applied' as const, reason: null, at: AT };
    monitor.jobs.set('j1', { ...stands('cancelled'), lastRequest });
    expect((await api.request('POST', '/api/jobs/j1/pause', { headers })).status).toBe(202);
    const [first, again] = await taken(2);
    expect(again?.id).toBe(first?.id);
  });

  test('that was a 409 leaves its key free', async () => {
    monitor.jobs.set('j1', stands('completed'));
    expect((await slower('k-8', 5)).status).toBe(409);
    monitor.jobs.set('j1', stands('running'));
    expect((await slower('k-8', 50)).status).toBe(202);
  });

  test('is bound to its body for 24 hours', async () => {
    await slower('k-5', 5);
    const indexes = await client.db(`${prefix}api`).collection('key-bindings').indexes();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { usedAt: 1 }, expireAfterSeconds: 86_400 }));
  });

  test('is taken, and its body not compared, while the database of keys does not answer', async () => {
    const away = await startApi({ ...environment, MONGODB_URL: 'mongodb://127.0.0.1:9/?directConnection=true' });
    try {
      expect(await away.broker.whenConnected(10_000)).toBe(true);
      for (const rate of [5, 50]) expect((await slower('k-6', rate, away)).status).toBe(202);
      expect((await taken(2)).map(({ id }) => id)).toHaveLength(2);
    } finally {
      await away.stop();
    }
  });

  test('reaches a job that was accepted though no monitor answers, and no job that is not known at all', async () => {
    const { body } = await api.request('POST', '/api/jobs', {
      body: { resource: 'receipts', selection: { all: true }, options: { max_records_per_second: 20 } },
    });
    expect(body).toMatchObject({ max_records_per_second: 20, options: { max_records_per_second: 20 } });
    await taken();
    monitor.fail = 'error';
    const id = String(body['id']);
    expect(await api.request('POST', `/api/jobs/${id}/resume`)).toMatchObject({
      status: 202,
      body: { diagnosis: { code: 'MONITOR:STALE' }, not_checked: ['monitor'], last_request: { outcome: 'pending' } },
    });
    expect(await taken()).toMatchObject([{ type: 'ResumeRequested', subject: id }]);
    expect(await api.request('POST', '/api/jobs/j1/cancel')).toMatchObject({ status: 503 });
  });

  test('is not accepted where nobody would get it', async () => {
    await bystander.unbind();
    try {
      expect(await api.request('POST', '/api/jobs/j1/cancel')).toMatchObject({
        status: 503,
        body: { code: 'not-accepted' },
      });
    } finally {
      await bystander.assertTopology();
    }
  });
});

describe('the brake for everything', () => {
  const options = { scope: 'ops:write', body: { reason: 'the collection moves' } };
  const brake = (headers = {}) => api.request('POST', '/api/pause-all', { ...options, headers });

  beforeEach(() => {
    monitor.jobs.set('j2', jobView('j2', 'other'));
    monitor.jobs.set('j3', { ...jobView('j3', 'other'), status: 'purging' });
  });

  test('asks every job of every tenant to pause that may still delete, also one that no monitor has heard of', async () => {
    const everything = { resource: 'receipts', selection: { all: true } };
    const accepted = await api.request('POST', '/api/jobs', { body: everything, tenant: 'third' });
    const unheard = String(accepted.body['id']);
    await bystander.empty();
    const { status, body } = await brake({ 'idempotency-key': 'a' });
    expect(status).toBe(202);
    const jobs = [
      { id: unheard, tenant: 'third' },
      { id: 'j1', tenant: 'acme' },
      { id: 'j2', tenant: 'other' },
    ];
    // Besides: what other tests have had accepted.
    const asked = Number(body['asked']);
    expect(body['jobs']).toEqual(expect.arrayContaining(jobs));
    expect(body['jobs']).toHaveLength(asked);
    const requests = await taken(asked);
    for (const { id, tenant } of jobs) {
      expect(requests.filter(({ subject }) => subject === id)).toMatchObject([
        { type: 'PauseRequested', tenantid: tenant, data: { reason: 'the collection moves' } },
      ]);
    }
    expect(requests.some(({ subject }) => subject === 'j3')).toBe(false);
    // With another body it is another brake, and with the same key none at all.
    const other = { scope: 'ops:write', body: { reason: 'another' }, headers: { 'idempotency-key': 'a' } };
    expect(await api.request('POST', '/api/pause-all', other)).toMatchObject({ status: 422 });
    // Asked again with the same key, they are the same requests.
    await brake({ 'idempotency-key': 'a' });
    const again = await taken(asked);
    expect(again.map(({ id }) => id).sort()).toEqual(requests.map(({ id }) => id).sort());
  });

  test('names those that may not have been asked', async () => {
    await bystander.unbind();
    try {
      const { status, body, headers } = await brake();
      expect({ status, code: body['code'] }).toEqual({ status: 503, code: 'not-all-paused' });
      expect(body['not_asked']).toEqual(expect.arrayContaining([{ id: 'j1', tenant: 'acme' }]));
      expect(headers.get('retry-after')).toBe('2');
    } finally {
      await bystander.assertTopology();
    }
  });

  test('is not for whoever may only steer jobs', async () => {
    const { status } = await api.request('POST', '/api/pause-all', { scope: 'jobs:write ops:read' });
    expect(status).toBe(403);
  });
});
