import { setTimeout as delay } from 'node:timers/promises';
import { type DeleteRequested, workQueues } from '@expunge/contracts';
import type { Vhost } from '@expunge/local-stack';
import { openStore, type Store } from '@expunge/runtime/store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Collection } from 'mongodb';
import { pino } from 'pino';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { type Acceptance, bodyHashOf, jobIdOfKey, newAcceptance } from '../src/acceptance/acceptance.js';
import { TopologyAssertion } from '../src/topology-assertion.service.js';
import { Bystander } from './broker.js';
import { type Answer, type RunningApi, startApi } from './running-api.js';
import { FRESH, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';
import { tcpProxy, type TcpProxy } from './tcp-proxy.js';

jest.setTimeout(60_000);

const everything = { resource: 'receipts', selection: { all: true } };
const jobs = 'deleter.jobs';
const events = 'monitor.events';

let vhost: Vhost;
let database: Database;
let bystander: Bystander;
let monitor: StandInMonitor;
let store: Store;
let acceptances: Collection<Acceptance>;
let environment: Record<string, string>;
let api: RunningApi;

beforeAll(async () => {
  vhost = await freshVhost();
  database = await freshDatabase('api');
  bystander = new Bystander(vhost.url);
  // It has heard of nothing, and is too far behind for anything to be published again.
  monitor = Object.assign(await standInMonitor(), { asOf: { ...FRESH, lagMs: 60_000 } });
  store = openStore(database.url, 'test', pino({ level: 'silent' }));
  const prefix = `${unique('acc')}-`;
  acceptances = store.db(`${prefix}api`).collection('acceptances');
  environment = {
    RABBITMQ_URL: vhost.url,
    MONGODB_URL: database.url,
    DATABASE_PREFIX: prefix,
    MONITOR_URLS: monitor.url,
  };
  api = await startApi(environment);
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
  monitor.fail = 'no';
  await bystander.empty();
});

const post = (body: unknown, key?: string, to = api): Promise<Answer> =>
  to.request('POST', '/api/jobs', { body, headers: key === undefined ? {} : { 'idempotency-key': key } });

describe('an accepted request', () => {
  test('is in the queues of deleter and monitor before the answer is given', async () => {
    const answer = await post({ ...everything, options: { batch_size: 50 }, reason: 'contract ended' });
    expect(answer.status).toBe(202);
    const id = String(answer.body.id);
    expect(answer.headers.get('location')).toBe(`/api/jobs/${id}`);
    expect(answer.body).toMatchObject({
      id,
      tenant: 'acme',
      status: 'queued',
      selection: { all: true },
      options: { batch_size: 50 },
      reason: 'contract ended',
      as_of: { position: null },
      not_checked: ['monitor'],
    });

    const [toDeleter] = await bystander.take(jobs);
    const [toMonitor] = await bystander.take(events);
    expect(toDeleter).toEqual(toMonitor);
    const stored = await acceptances.findOne({ _id: id });
    expect(stored).toMatchObject({ tenant: 'acme', state: 'accepted', time: answer.body.requested_at });
    expect(toDeleter).toMatchObject({
      id: `${id}:delete-requested`,
      type: 'DeleteRequested',
      subject: id,
      tenantid: 'acme',
      time: stored?.time,
      data: {
        resource: 'receipts',
        selection: { all: true },
        options: { batchSize: 50 },
        reason: 'contract ended',
        notAfter: new Date(Date.parse(stored?.time ?? '') + 7 * 86_400_000).toISOString(),
      },
    });
  });

  test('can be read at once, although no monitor has heard of it', async () => {
    const { body } = await post(everything);
    const read = await api.request('GET', `/api/jobs/${String(body.id)}`);
    expect(read.status).toBe(200);
    expect({ ...read.body, listeners: body.listeners }).toEqual(body);
  });

  test('is logged with job, tenant and resource, and with no id or value of the selection', async () => {
    const company = unique('company');
    const { body } = await post({ resource: 'receipts', selection: { filter: { company } } });
    const line = api.logged.find((one) => one.includes(String(body.id)));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ tenant: 'acme', resource: 'receipts', selection: 'filter' });
    expect(api.logged.join('')).not.toContain(company);
  });

  test('without an idempotency key is a job of its own each time', async () => {
    const [first, second] = [await post(everything), await post(everything)];
    expect(first.body.id).not.toBe(second.body.id);
    expect(await bystander.take(jobs, 2)).toHaveLength(2);
  });
});

describe('who listens', () => {
  const strict = (body: unknown, prefer = 'handling=strict', key?: string) =>
    api.request('POST', '/api/jobs', {
      body,
      headers: { prefer, ...(key === undefined ? {} : { 'idempotency-key': key }) },
    });
  const queues = Object.values(workQueues).map(({ name }) => name);
  const counts = ({ body }: Answer) =>
    (body.listeners as { queue: string; consumer_count: number }[]).map(({ queue, consumer_count: n }) => [queue, n]);

  test('is told of each step with the job, which is accepted all the same', async () => {
    const answer = await post(everything);
    expect(answer.status).toBe(202);
    expect(counts(answer)).toEqual(queues.map((queue) => [queue, 0]));
    expect(answer.body.listeners).toContainEqual({
      queue: 'storage-cleaner.batches',
      service: 'storage-cleaner',
      consumer_count: 0,
      missing: ['a consumer of storage-cleaner'],
    });
    expect(answer.headers.get('preference-applied')).toBeNull();
  });

  test('decides, where handling=strict is preferred: without them nothing is accepted', async () => {
    const before = await acceptances.countDocuments();
    const answer = await strict(everything);
    expect(answer).toMatchObject({ status: 503, body: { code: 'no-listener' } });
    expect(answer.body.detail).toContain('deleter.jobs lacks a consumer of deleter');
    expect(counts(answer)).toHaveLength(queues.length);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect([await acceptances.countDocuments(), await bystander.depth(jobs)]).toEqual([before, 0]);
  });

  test('is no question of a job that was accepted before', async () => {
    const key = unique('key');
    const first = await post(everything, key);
    const again = await strict(everything, 'handling=strict', key);
    expect([again.status, again.body.id]).toEqual([202, first.body.id]);
  });

  test('is enough where each queue has one', async () => {
    const leave = await bystander.listenTo(queues);
    const answer = await strict(everything, 'respond-async, handling=strict');
    expect(answer.status).toBe(202);
    expect(counts(answer)).toEqual(queues.map((queue) => [queue, 1]));
    expect(answer.headers.get('preference-applied')).toBe('handling=strict');
    await leave();
  });
});

describe('a request with an idempotency key', () => {
  test('that is repeated is the same job, and is not published again', async () => {
    const key = unique('key');
    const first = await post(everything, key);
    const again = await post({ selection: { all: true }, resource: 'receipts' }, key);
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(await bystander.depth(jobs)).toBe(1);
  });

  test('that is repeated while no monitor answers is a 202, as it was accepted, and says that', async () => {
    const key = unique('key');
    const first = await post(everything, key);
    monitor.fail = 'error';
    const again = await post(everything, key);
    const diagnosis = expect.objectContaining({ code: 'MONITOR:STALE', severity: 'warning' }) as unknown;
    expect([again.status, again.body]).toEqual([202, { ...first.body, diagnosis }]);
    expect(again.body.diagnosis).toMatchObject({ summary: expect.stringContaining('as it was accepted') as unknown });
  });

  test('that comes with another body is a 422 and changes nothing', async () => {
    const key = unique('key');
    const { body } = await post(everything, key);
    const other = await post({ ...everything, reason: 'another' }, key);
    expect(other.status).toBe(422);
    expect(other.body).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
    expect(await acceptances.findOne({ _id: String(body.id) })).toMatchObject({
      state: 'accepted',
      request: { reason: null },
    });
  });

  test('is another job for another tenant', async () => {
    const headers = { 'idempotency-key': unique('key') };
    const ours = await api.request('POST', '/api/jobs', { body: everything, headers });
    const theirs = await api.request('POST', '/api/jobs', { body: everything, headers, tenant: 'other' });
    expect(theirs.body.id).not.toBe(ours.body.id);
  });

  test('twenty at once on two instances make one job, with one message id', async () => {
    const second = await startApi(environment);
    const key = unique('key');
    try {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => post(everything, key, n % 2 ? api : second)),
      );
      expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(202));
      expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
      const [first, ...rest] = await bystander.take(jobs, Math.max(1, await bystander.depth(jobs)));
      for (const message of rest) expect(message).toEqual(first);
      expect(await acceptances.countDocuments({ _id: String(answers[0]?.body.id) })).toBe(1);
    } finally {
      await second.stop();
    }
  });

  test('two bodies at once on two instances make one job, of one of them; the other is a 422 each time', async () => {
    const second = await startApi(environment);
    const bodies = [everything, { ...everything, reason: 'another' }];
    try {
      expect(await second.broker.whenConnected(10_000)).toBe(true);
      for (let round = 0; round < 10; round++) {
        const key = unique('key');
        await bystander.empty();
        const asked = Array.from({ length: 8 }, (_, n) => ({ body: bodies[n % 2], to: n < 4 ? api : second }));
        const answers = await Promise.all(asked.map(({ body, to }) => post(body, key, to)));
        const [ofOne, ofOther] = [0, 1].map((which) => answers.filter((_, n) => n % 2 === which));
        const statuses = [ofOne, ofOther].map((of = []) => [...new Set(of.map(({ status }) => status))]);
        expect(statuses.sort()).toEqual([[202], [422]]);
        const told = answers.find(({ status }) => status === 202)?.body['reason'];
        const messages = await bystander.take(jobs, Math.max(1, await bystander.depth(jobs)));
        for (const message of messages) expect(message).toMatchObject({ data: { reason: told } });
      }
    } finally {
      await second.stop();
    }
  });

  test('whose process died after storing it is published with the time that was stored', async () => {
    const key = unique('key');
    const request = { ...everything, selection: { all: true as const }, options: { batchSize: 2000 }, reason: null };
    const id = jobIdOfKey('acme', key);
    const yesterday = new Date(Date.now() - 86_400_000);
    const left = newAcceptance(id, { tenant: 'acme', requestedBy: 'ann', request }, yesterday, 7 * 86_400_000);
    await acceptances.insertOne(left);
    expect((await api.request('GET', `/api/jobs/${id}`)).status).toBe(404);

    expect((await post({ ...everything, reason: 'other' }, key)).status).toBe(422);
    const answer = await post(everything, key);
    expect(answer).toMatchObject({ status: 202, body: { id, requested_at: left.time, requested_by: 'ann' } });
    const [message] = await bystander.take(jobs);
    expect(message).toMatchObject({ id: `${id}:delete-requested`, time: left.time, data: left.request });
    expect(await acceptances.findOne({ _id: id })).toMatchObject({ state: 'accepted', bodyHash: bodyHashOf(request) });
  });

  test('whose process died so long ago that the deleter would refuse it begins again', async () => {
    const key = unique('key');
    const request = { ...everything, selection: { all: true as const }, options: { batchSize: 2000 }, reason: null };
    const id = jobIdOfKey('acme', key);
    const left = newAcceptance(id, { tenant: 'acme', requestedBy: 'ann', request }, new Date(Date.now() - 1000), 1000);
    await acceptances.insertOne(left);
    const answer = await post(everything, key);
    expect(answer).toMatchObject({ status: 202, body: { id } });
    const [message] = await bystander.take(jobs);
    expect(message).toMatchObject({ id: `${id}:delete-requested`, time: answer.body.requested_at });
    expect(Date.parse((message as DeleteRequested).data.notAfter)).toBeGreaterThan(Date.now());
  });
});

describe('a request that the broker has no queue for', () => {
  // The topology would be there again within five seconds.
  beforeEach(() => api.app.get(TopologyAssertion).onModuleDestroy());
  afterEach(async () => {
    await bystander.assertTopology();
    api.app.get(TopologyAssertion).onApplicationBootstrap();
  });

  test('is not accepted, and begins anew when it is made again', async () => {
    const key = unique('key');
    const id = jobIdOfKey('acme', key);
    await bystander.unbind();
    const refused = await post(everything, key);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(refused.body).toMatchObject({ code: 'not-accepted', status: 503 });
    const stored = await acceptances.findOne({ _id: id });
    expect(stored?.state).toBe('refused');

    await bystander.assertTopology();
    expect(await bystander.depth(jobs)).toBe(0);
    const accepted = await post(everything, key);
    expect(accepted).toMatchObject({ status: 202, body: { id } });
    expect(Date.parse(String(accepted.body.requested_at))).toBeGreaterThan(Date.parse(stored?.time ?? ''));
    expect(await bystander.take(jobs)).toMatchObject([{ subject: id, time: accepted.body.requested_at }]);
  });

  test('is of unknown outcome when an earlier attempt may have left a message', async () => {
    const key = unique('key');
    const request = { ...everything, selection: { all: true as const }, options: { batchSize: 2000 }, reason: null };
    const id = jobIdOfKey('acme', key);
    await acceptances.insertOne(
      newAcceptance(id, { tenant: 'acme', requestedBy: 'acme', request }, new Date(), 60_000),
    );
    await bystander.unbind();
    expect(await post(everything, key)).toMatchObject({ status: 503, body: { code: 'outcome-unknown', job_id: id } });
    expect((await acceptances.findOne({ _id: id }))?.state).toBe('pending');
  });

  test('is accepted once the exchange, which was gone, has been declared again', async () => {
    await bystander.deleteExchange();
    const answer = await post(everything);
    expect(answer.status).toBe(202);
    expect(await bystander.take(jobs)).toMatchObject([{ subject: answer.body.id }]);
  });
});

test('bindings that somebody removed are back within seconds', async () => {
  await bystander.unbind();
  expect((await post(everything)).status).toBe(503);
  await until(async () => (await post(everything)).status === 202, 10_000);
});

describe('a broker that is away', () => {
  test('means that the request is not accepted', async () => {
    const away = await startApi({ ...environment, RABBITMQ_URL: 'amqp://guest:guest@127.0.0.1:9' });
    const key = unique('key');
    try {
      expect(await post(everything, key, away)).toMatchObject({ status: 503, body: { code: 'not-accepted' } });
      expect((await acceptances.findOne({ _id: jobIdOfKey('acme', key) }))?.state).toBe('refused');
    } finally {
      await away.stop();
    }
  });
});

describe('a broker whose confirm does not come', () => {
  let proxy: TcpProxy;
  let behind: RunningApi;
  async function start(publishWithin: string): Promise<void> {
    const { hostname, port } = new URL(vhost.url);
    proxy = await tcpProxy({ host: hostname, port: Number(port) });
    const url = new URL(vhost.url);
    url.host = `127.0.0.1:${String(proxy.port)}`;
    behind = await startApi({ ...environment, RABBITMQ_URL: url.href, PUBLISH_WITHIN: publishWithin });
    expect(await behind.broker.whenConnected(10_000)).toBe(true);
    // So that the publisher's channel is open before the connection goes mute.
    expect((await post(everything, unique('key'), behind)).status).toBe(202);
    await bystander.empty();
  }
  afterEach(async () => {
    await proxy.stop();
    await behind.stop();
  });

  test('leaves the outcome unknown; the repeated request is the same job and the same message', async () => {
    await start('2s');
    const key = unique('key');
    proxy.mute();
    const unknown = await post(everything, key, behind);
    expect(unknown).toMatchObject({ status: 503, body: { code: 'outcome-unknown' } });
    const id = unknown.body.job_id;
    const [first] = await bystander.take(jobs);

    proxy.cut();
    await until(async () => (await post(everything, key, behind)).status === 202, 20_000);
    const [again] = await bystander.take(jobs);
    expect(again).toEqual(first);
    expect(first).toMatchObject({ subject: id });
  });

  test('is no reason to refuse any of many requests at once that share a key', async () => {
    await start('20s');
    const MANY = 60;
    const key = unique('key');
    const _id = jobIdOfKey('acme', key);
    proxy.mute();
    let answered = 0;
    const asking = Array.from({ length: MANY }, () => post(everything, key, behind).finally(() => (answered += 1)));
    await until(async () => answered + ((await acceptances.findOne({ _id }))?.attempts ?? 0) >= MANY, 10_000);
    proxy.unmute();
    const answers = await Promise.all(asking);
    expect(answers.map(({ status, body }) => [status, body.id])).toEqual(Array(MANY).fill([202, _id]));
    expect(await acceptances.findOne({ _id })).toMatchObject({ state: 'accepted', attempts: MANY });
    const [first, ...rest] = await bystander.take(jobs, MANY);
    for (const message of rest) expect(message).toEqual(first);
  });

  test('is asked again when the connection dies in between', async () => {
    await start('20s');
    proxy.mute();
    const answer = post(everything, unique('key'), behind);
    const [first] = await bystander.take(jobs);
    proxy.cut();
    expect(await answer).toMatchObject({ status: 202, body: { id: first?.subject } });
    expect(await bystander.take(jobs)).toEqual([first]);
  });
});

test('an acceptance store that is away means that nothing is published', async () => {
  const away = await startApi({ ...environment, MONGODB_URL: 'mongodb://127.0.0.1:9/?directConnection=true' });
  try {
    expect(await away.broker.whenConnected(10_000)).toBe(true);
    for (const key of [undefined, unique('key')]) {
      expect(await post(everything, key, away)).toMatchObject({ status: 503, body: { code: 'not-accepted' } });
    }
    expect(await bystander.depth(jobs)).toBe(0);
  } finally {
    await away.stop();
  }
});

async function until(condition: () => Promise<boolean>, withinMs: number): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms`);
    await delay(50);
  }
}
