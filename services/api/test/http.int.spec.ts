import type { Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { UnsecuredJWT } from 'jose';
import { MongoClient } from 'mongodb';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { type Acceptance, newAcceptance } from '../src/acceptance/acceptance.js';
import { Bystander } from './broker.js';
import { NOBODY, type RequestOptions, type RunningApi, startApi, tokenOf } from './running-api.js';
import { jobView, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(60_000);

const everything = { resource: 'receipts', selection: { all: true } };
const claims = { tenant: 'acme', scope: 'jobs:read jobs:write' };

let vhost: Vhost;
let database: Database;
let bystander: Bystander;
let first: StandInMonitor;
let second: StandInMonitor;
let prefix: string;
let environment: Record<string, string>;
let api: RunningApi;

beforeAll(async () => {
  vhost = await freshVhost();
  database = await freshDatabase('api');
  bystander = new Bystander(vhost.url);
  first = await standInMonitor();
  second = await standInMonitor();
  prefix = `${unique('http')}-`;
  environment = { RABBITMQ_URL: vhost.url, MONGODB_URL: database.url, DATABASE_PREFIX: prefix };
  api = await startApi({ ...environment, MONITOR_URLS: `${NOBODY}, ${first.url}/,${second.url}` });
  expect(await api.broker.whenConnected(10_000)).toBe(true);
});

afterAll(async () => {
  await api.stop();
  await bystander.close();
  await first.stop();
  await second.stop();
  const client = await MongoClient.connect(database.url);
  await client.db(`${prefix}api`).dropDatabase();
  await client.close();
  await vhost.drop();
});

beforeEach(async () => {
  for (const monitor of [first, second]) {
    Object.assign(monitor, { fail: 'no', resources: [], asked: [], events: [], knownSince: '' });
    monitor.jobs.clear();
  }
  await bystander.empty();
});

describe('a token', () => {
  const get = (token: string | null) => api.request('GET', '/api/jobs', { token });

  test('that permits it lets a request through', async () => {
    expect((await get(await tokenOf(claims))).status).toBe(200);
  });

  const refused: [string, () => Promise<string> | string | null, RegExp][] = [
    ['is missing', () => null, /^Bearer realm="expunge"$/],
    ['is wrong', () => 'abc', /error="invalid_token"/],
    ['has expired', () => tokenOf(claims, undefined, new Date(Date.now() - 1000)), /expired/],
    ['is signed by nobody', () => new UnsecuredJWT(claims).setExpirationTime('1h').encode(), /invalid_token/],
    ['is signed with another secret', () => tokenOf(claims, 'x'.repeat(40)), /invalid_token/],
  ];
  test.each(refused)('that %s is a 401 that says how to authenticate', async (_, make, challenge) => {
    const { status, headers, body } = await get(await make());
    expect({ status, code: body.code }).toEqual({ status: 401, code: 'unauthenticated' });
    expect(headers.get('www-authenticate')).toMatch(challenge);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  test.each([
    ['POST', '/api/jobs', 'jobs:read ops:write', 'jobs:write'],
    ['GET', '/api/jobs', 'jobs:write', 'jobs:read'],
    ['GET', '/api/jobs/x', 'jobs:readonly', 'jobs:read'],
    ['GET', '/api/jobs/x/events', 'jobs:write', 'jobs:read'],
  ])('that does not permit %s %s is a 403 naming the scope', async (method, path, scope, required) => {
    const { status, headers, body } = await api.request(method, path, {
      scope,
      ...(method === 'POST' ? { body: everything } : {}),
    });
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'insufficient-scope' });
    expect(headers.get('www-authenticate')).toContain(`scope="${required}"`);
  });

  test('is not asked for by health checks', async () => {
    expect(await api.request('GET', '/health/live', { token: null })).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    });
  });
});

describe('a request that cannot be read', () => {
  const refused: [string, string, string, RequestOptions, number, string][] = [
    ['is no JSON', 'POST', '/api/jobs', { body: '{"resource": receipts}' }, 400, 'malformed-request'],
    ['is a JSON text', 'POST', '/api/jobs', { body: '"receipts"' }, 400, 'malformed-request'],
    ['has no body', 'POST', '/api/jobs', {}, 415, 'unsupported-media-type'],
    ['is a list', 'POST', '/api/jobs', { body: [] }, 400, 'invalid-request'],
    ['is a form', 'POST', '/api/jobs', form('resource=receipts'), 415, 'unsupported-media-type'],
    ['is a large form', 'POST', '/api/jobs', form(`a=${'x'.repeat(200_000)}`), 413, 'body-too-large'],
    ['is too large', 'POST', '/api/jobs', { body: { reason: 'x'.repeat(1_048_576) } }, 413, 'body-too-large'],
    [
      'has a key with spaces',
      'POST',
      '/api/jobs',
      { body: everything, headers: { 'idempotency-key': 'a b' } },
      400,
      'invalid-request',
    ],
    ['asks for another address', 'GET', '/api/job', {}, 404, 'not-found'],
    ['uses another method', 'PUT', '/api/jobs', { body: everything }, 404, 'not-found'],
    ['has a broken address', 'GET', '/api/jobs/%', {}, 400, 'malformed-request'],
    ['climbs out of its path', 'GET', '/api/jobs/%2e%2e%2fresources', {}, 404, 'not-found'],
    ['has an unknown parameter', 'GET', '/api/jobs?state=running', {}, 400, 'invalid-request'],
    ['has a limit of none', 'GET', '/api/jobs?limit=0', {}, 400, 'invalid-request'],
    ['asks for a moment to come', 'GET', '/api/jobs/j1?at=2999-01-01T00:00:00Z', {}, 400, 'invalid-request'],
    ['asks for events after none', 'GET', '/api/jobs/j1/events?after=x', {}, 400, 'invalid-request'],
    ['has a cursor of its own making', 'GET', '/api/jobs?cursor=bad', {}, 400, 'invalid-request'],
  ];
  test.each(refused)(
    'because it %s is a problem that leaks nothing',
    async (_, method, path, options, status, code) => {
      const answer = await api.request(method, path, options);
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(answer.body).toMatchObject({
        type: `urn:expunge:problem:${code}`,
        title: expect.any(String),
        detail: expect.any(String),
        trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
      expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|at Object|Unexpected token|Cannot (GET|PUT)/);
      expect(answer.headers.get('x-powered-by')).toBeNull();
    },
  );

  test.each([
    ['Latin-1', 'latin1', 'application/json', 400, 'malformed-request', 'The body is not well-formed UTF-8.'],
    [
      'UTF-16',
      'utf16le',
      'application/json; charset=utf-16',
      415,
      'unsupported-media-type',
      'The body must be JSON in UTF-8.',
    ],
  ] as const)('because it is in %s is never guessed at', async (_, encoding, type, status, code, detail) => {
    // Read as UTF-8, the upper limit would be U+FFFD: beyond nearly every name.
    const selection = { filter: { company: { lt: 'É' } } };
    const body = Buffer.from(JSON.stringify({ resource: 'receipts', selection }), encoding);
    const answer = await api.request('POST', '/api/jobs', { body, headers: { 'content-type': type } });
    expect(answer).toMatchObject({ status, body: { code, detail } });
    expect(await bystander.depth('deleter.jobs')).toBe(0);
  });

  test('because of its selection names the field, and stores and publishes nothing', async () => {
    const selection = { filter: { amount: 1 } };
    const { status, body } = await api.request('POST', '/api/jobs', { body: { resource: 'receipts', selection } });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'invalid-request',
      detail: 'selection.filter.amount is no field that can be selected by',
      errors: [{ pointer: '/selection/filter/amount', detail: 'is no field that can be selected by' }],
    });
    expect(await bystander.depth('deleter.jobs')).toBe(0);
  });

  test.each([
    ['POST', '/api/jobs/x/explode'],
    ['POST', '/api/jobs/x/rate-change'],
    ['PUT', '/api/jobs'],
    ['GET', '/api/job'],
    ['GET', '/'],
  ])('because there is no %s %s is told so in the same words', async (method, path) => {
    const { status, body } = await api.request(method, path);
    expect(status).toBe(404);
    expect(body).toMatchObject({
      code: 'not-found',
      detail: 'There is no such address, or not with this method.',
    });
  });

  test('is one of 10,000 ids: that is taken', async () => {
    const ids = Array.from({ length: 10_000 }, (_, n) => n.toString(16).padStart(24, '0'));
    const { status, body } = await api.request('POST', '/api/jobs', {
      body: { resource: 'receipts', selection: { ids } },
    });
    expect({ status, selection: body.selection }).toEqual({
      status: 202,
      selection: { id_count: 10_000, first_ids: ids.slice(0, 20) },
    });
  });
});

describe('a collection that lacks an index', () => {
  const command = 'db.receipts.createIndex({"tenantId": 1, "_id": 1})';
  const lacking = [{ resource: 'receipts', keys: { tenantId: 1 as const, _id: 1 as const }, command }];
  const heardAt = '2026-11-01T10:00:00.000Z';

  test('refuses the request, with the command', async () => {
    first.resources = [{ name: 'receipts', missingIndexes: lacking, heardAt }];
    const { status, body } = await api.request('POST', '/api/jobs', { body: everything });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'missing-index', missing_indexes: [{ command }] });
    expect(body.detail).toContain(command);
    expect(await bystander.depth('deleter.jobs')).toBe(0);
  });

  test('does not take back what was accepted under the same key', async () => {
    const headers = { 'idempotency-key': unique('key') };
    expect((await api.request('POST', '/api/jobs', { body: everything, headers })).status).toBe(202);
    first.resources = [{ name: 'receipts', missingIndexes: lacking, heardAt }];
    expect((await api.request('POST', '/api/jobs', { body: everything, headers })).status).toBe(202);
  });

  test.each([
    ['no deleter was heard', [{ name: 'receipts', missingIndexes: null, heardAt: null }]],
    ['it has them all', [{ name: 'receipts', missingIndexes: [], heardAt }]],
    ['the monitor does not know the resource', []],
  ])('is not supposed when %s', async (_, resources) => {
    first.resources = resources;
    expect((await api.request('POST', '/api/jobs', { body: everything })).status).toBe(202);
  });
});

describe('a deletion based on a dry run', () => {
  const id = 'a8f5f167-0e5a-4d3b-9c1e-2b7d6a1f0c33';
  const dryRun = {
    ...jobView(id, 'acme'),
    status: 'completed' as const,
    options: { batchSize: 500, dryRun: true },
    dryRun: { total: 3, totalIsEstimate: false, sample: [{ id: 'a', objectKeys: ['tenants/acme/1'] }] },
  };
  const based = { ...everything, options: { based_on: id } };

  test('is accepted, as a message that no deleter without brakes reads', async () => {
    first.jobs.set(id, dryRun);
    const { status, body } = await api.request('POST', '/api/jobs', { body: based });
    expect({ status, options: body.options }).toMatchObject({ status: 202, options: { based_on: id, dry_run: false } });
    const [message] = await bystander.take('deleter.jobs');
    expect(message).toMatchObject({
      dataschema: 'urn:expunge:DeleteRequested:2',
      data: { options: { basedOn: id } },
    });
  });

  test.each([
    ['has another selection', { selection: { filter: { company: 'Tan' } } }],
    ['is running, not completed', { status: 'running' as const }],
    ['is of invoices', { resource: 'invoices' }],
    ['is no dry run', { options: { batchSize: 500 } }],
  ])('that %s is a 412, and nothing is accepted', async (why, change) => {
    first.jobs.set(id, { ...dryRun, ...change });
    const { status, body } = await api.request('POST', '/api/jobs', { body: based });
    expect({ status, code: body.code }).toEqual({ status: 412, code: 'based-on-mismatch' });
    expect(body).toMatchObject({ errors: [{ pointer: '/options/based_on', detail: why }] });
    expect(await bystander.depth('deleter.jobs')).toBe(0);
  });

  describe('of a list of ids', () => {
    const ids = Array.from({ length: 25 }, (_, i) => i.toString(16).padStart(24, '0'));
    const other = 'f'.repeat(24);
    const ofIds = { ...dryRun, selection: { idCount: ids.length, firstIds: ids.slice(0, 20) } };
    const ask = (asked: string[]) => {
      first.jobs.set(id, ofIds);
      return api.request('POST', '/api/jobs', { body: { ...based, selection: { ids: asked } } });
    };

    test.each([
      ['there are more', [...ids, other]],
      ['one of the first 20 is another', ids.with(19, other)],
    ])('is a 412 where %s', async (_, asked) => {
      expect(await ask(asked)).toMatchObject({ status: 412, body: { code: 'based-on-mismatch' } });
    });

    test('that differs behind the first 20 is left to the deleter, which is given all of them', async () => {
      const asked = ids.with(20, other);
      expect((await ask(asked)).status).toBe(202);
      expect(await bystander.take('deleter.jobs')).toMatchObject([{ data: { selection: { ids: asked } } }]);
    });
  });

  test('that is another tenant’s is told like none', async () => {
    first.jobs.set(id, { ...dryRun, tenant: 'other' });
    const { status, body } = await api.request('POST', '/api/jobs', { body: based });
    expect(status).toBe(412);
    expect(body).toMatchObject({ errors: [{ detail: 'is no dry run' }] });
  });

  test('shows what was found, and in a list only how many', async () => {
    first.jobs.set(id, dryRun);
    const sample = [{ id: 'a', object_keys: ['tenants/acme/1'], failure: null }];
    const counted = { total: 3, total_is_estimate: false };
    expect((await api.request('GET', `/api/jobs/${id}`)).body).toMatchObject({ dry_run: { ...counted, sample } });
    const { body } = await api.request('GET', '/api/jobs');
    expect((body['jobs'] as { dry_run: unknown }[]).map((job) => job.dry_run)).toEqual([counted]);
  });
});

describe('a job', () => {
  test('is read from a monitor, with how fresh that is', async () => {
    first.jobs.set('j1', jobView('j1', 'acme'));
    const { status, headers, body } = await api.request('GET', '/api/jobs/j1');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({
      id: 'j1',
      status: 'running',
      progress: { processed: 50, percent: 25, objects: { pending: 50 } },
      as_of: { position: 17, lag_ms: 0, monitor_heartbeat_age_ms: 900 },
      not_checked: [],
    });
    expect(first.asked).toEqual(['/internal/jobs/j1?tenant=acme']);
  });

  test('of another tenant is a 404, from the monitor and from the acceptance', async () => {
    first.jobs.set('j1', jobView('j1', 'acme'));
    const { body } = await api.request('POST', '/api/jobs', { body: everything });
    for (const id of ['j1', String(body.id), 'nothing-of-the-kind']) {
      const answer = await api.request('GET', `/api/jobs/${id}`, { tenant: 'other' });
      expect(answer).toMatchObject({
        status: 404,
        body: { code: 'not-found', detail: 'There is no job with this id.' },
      });
    }
  });

  test.each(['silent', 'error', 'garbage'] as const)('is read from the next monitor when one is %s', async (fail) => {
    const own = await startApi({ ...environment, MONITOR_URLS: `${first.url},${second.url}` });
    try {
      first.fail = fail;
      second.jobs.set('j1', jobView('j1', 'acme'));
      expect(await own.request('GET', '/api/jobs/j1')).toMatchObject({ status: 200, body: { id: 'j1' } });
      expect(first.asked).toHaveLength(1);
      // Whoever answered last is asked first: a frozen monitor costs its time once.
      expect(await own.request('GET', '/api/jobs/j1')).toMatchObject({ status: 200, body: { id: 'j1' } });
      expect(first.asked).toHaveLength(1);
    } finally {
      await own.stop();
    }
  });

  test('that a monitor says it has not heard of is told from its acceptance', async () => {
    const { body } = await api.request('POST', '/api/jobs', { body: everything });
    expect(await api.request('GET', `/api/jobs/${String(body.id)}`)).toMatchObject({
      status: 200,
      body: { status: 'queued', as_of: { position: null, at: null, lag_ms: null }, not_checked: ['monitor'] },
    });
  });

  test('is not told at all while no monitor answers: it may have gone far since it was accepted', async () => {
    const { body } = await api.request('POST', '/api/jobs', { body: everything });
    first.fail = second.fail = 'error';
    for (const id of [String(body.id), 'j1']) {
      const answer = await api.request('GET', `/api/jobs/${id}`);
      expect(answer).toMatchObject({ status: 503, body: { code: 'monitor-unreachable', not_checked: ['monitor'] } });
      expect(answer.headers.get('retry-after')).toBe('2');
      expect(answer.body['detail']).toContain(`/api/jobs/${id}/diagnosis`);
    }
    expect(await api.request('GET', '/api/jobs')).toMatchObject({ status: 503, body: { code: 'monitor-unreachable' } });
  });
});

describe("a job's history", () => {
  const event = (position: number) => ({
    position,
    id: `j1:${position}`,
    type: 'BatchDeleted',
    source: 'urn:expunge:deleter',
    sequence: position,
    time: '2026-11-01T10:00:00.000Z',
    data: { objectKeys: { count: 2, hash: 'x', first: [] } },
  });

  test('is told event by event, from behind a position on', async () => {
    first.jobs.set('j1', jobView('j1', 'acme'));
    first.events = [event(3), event(8), event(9)];
    const page = await api.request('GET', '/api/jobs/j1/events?after=3&limit=7');
    expect(page.status).toBe(200);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.body).toEqual({
      events: [event(8)],
      next: 8,
      as_of: { position: 17, at: '2026-11-01T10:00:05.000Z', lag_ms: 0, monitor_heartbeat_age_ms: 900 },
      not_checked: [],
    });
    expect(first.asked).toEqual(['/internal/jobs/j1/events?tenant=acme&after=3&limit=7']);
    expect((await api.request('GET', '/api/jobs/j1/events?after=8')).body).toMatchObject({ next: null });
  });

  test('is the state at a moment, in whatever zone that is given', async () => {
    first.jobs.set('j1', jobView('j1', 'acme'));
    first.knownSince = '2026-11-01T01:00:00.000Z';
    const { status, body } = await api.request('GET', '/api/jobs/j1?at=2026-11-01T03:12:00%2B02:00');
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: 'j1', status: 'running', at: '2026-11-01T01:12:00.000Z', not_checked: [] });
    expect(first.asked).toEqual(['/internal/jobs/j1/state?tenant=acme&at=2026-11-01T01%3A12%3A00.000Z']);
    expect(await api.request('GET', '/api/jobs/j1?at=2026-11-01T00:59:59Z')).toMatchObject({
      status: 404,
      body: {
        code: 'not-found',
        detail: 'The job was not known at 2026-11-01T00:59:59.000Z: no monitor had heard of it by then.',
      },
    });
  });

  test('names the parameter that is wrong', async () => {
    for (const [path, parameter] of [
      ['/api/jobs/j1?at=03:12', 'at'],
      ['/api/jobs/j1?at=2999-01-01T00:00:00Z', 'at'],
      ['/api/jobs/j1/events?after=-1', 'after'],
      ['/api/jobs/j1/events?limit=0', 'limit'],
    ] as const) {
      expect((await api.request('GET', path)).body).toMatchObject({ code: 'invalid-request', errors: [{ parameter }] });
    }
    expect(first.asked).toEqual([]);
  });

  test.each(['/events', '?at=2026-11-01T09:00:00Z'])('of another tenant, or of no job, is a 404: %s', async (what) => {
    first.jobs.set('j1', jobView('j1', 'acme'));
    for (const [id, tenant] of [
      ['j1', 'other'],
      ['j2', 'acme'],
    ] as const) {
      expect(await api.request('GET', `/api/jobs/${id}${what}`, { tenant })).toMatchObject({
        status: 404,
        body: { code: 'not-found', detail: 'There is no job with this id.' },
      });
    }
  });

  test('of a job that no monitor has heard of is empty, and what was not checked is said', async () => {
    const { body } = await api.request('POST', '/api/jobs', { body: everything });
    const path = `/api/jobs/${String(body.id)}`;
    expect((await api.request('GET', `${path}/events`)).body).toEqual({
      events: [],
      next: null,
      as_of: { position: null, at: null, lag_ms: null, monitor_heartbeat_age_ms: null },
      not_checked: ['monitor'],
    });
    expect(await api.request('GET', `${path}?at=2026-11-01T09:00:00Z`)).toMatchObject({
      status: 404,
      body: { detail: expect.stringMatching(/^The job was not known at/) as unknown },
    });
    first.fail = second.fail = 'error';
    for (const what of ['/events', '?at=2026-11-01T09:00:00Z']) {
      expect(await api.request('GET', path + what)).toMatchObject({
        status: 503,
        body: { code: 'monitor-unreachable' },
      });
    }
  });
});

describe('a job whose acceptance is not settled', () => {
  const request = { ...everything, selection: { all: true as const }, options: { batchSize: 500 }, reason: null };
  const left = (id: string) => newAcceptance(id, { tenant: 'acme', requestedBy: 'ann', request }, new Date(), 1000);

  test('is not shown as queued: nobody knows whether it is', async () => {
    const client = await MongoClient.connect(database.url);
    const acceptances = client.db(`${prefix}api`).collection<Acceptance>('acceptances');
    await acceptances.insertMany([left('pending'), { ...left('refused'), state: 'refused' }]);
    await client.close();
    const pending = await api.request('GET', '/api/jobs/pending');
    expect(pending).toMatchObject({ status: 404, body: { detail: expect.stringMatching(/not known/) as unknown } });
    const refused = await api.request('GET', '/api/jobs/refused');
    expect(refused).toMatchObject({ status: 404, body: { detail: 'There is no job with this id.' } });
    const theirs = await api.request('GET', '/api/jobs/pending', { tenant: 'other' });
    expect({ ...theirs.body, trace_id: refused.body.trace_id }).toEqual(refused.body);
  });
});

describe('the list of jobs', () => {
  test("is the tenant's own, paged, asked for as the client asked", async () => {
    for (const id of ['j1', 'j2', 'j3']) first.jobs.set(id, jobView(id, 'acme'));
    first.jobs.set('x', jobView('x', 'other'));
    const { status, body } = await api.request(
      'GET',
      '/api/jobs?limit=2&status=running,paused&resource=receipts&cursor=c',
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ jobs: [{ id: 'j1' }, { id: 'j2' }], next_cursor: 'next', as_of: { position: 17 } });
    expect(first.asked).toEqual([
      '/internal/jobs?status=running%2Cpaused&resource=receipts&cursor=c&limit=2&tenant=acme',
    ]);
  });
});

function form(body: string): RequestOptions {
  return { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } };
}
