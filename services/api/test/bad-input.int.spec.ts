import { type DiagnosisAnswer, type FailuresAnswer, type RollCallAnswer, workQueues } from '@expunge/contracts';
import type { Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { MongoClient } from 'mongodb';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { prefersStrict } from '../src/jobs/prefer.js';
import { openApiOf } from '../src/openapi/document.js';
import { Bystander } from './broker.js';
import { type Answer, type RunningApi, startApi } from './running-api.js';
import { FRESH, jobView, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(120_000);

/** As many of each; more find more. */
const RUNS = Number(process.env['RUNS'] ?? 25);
const scope = 'jobs:read jobs:write ops:read ops:write';

let vhost: Vhost;
let database: Database;
let bystander: Bystander;
let monitor: StandInMonitor;
let prefix: string;
let api: RunningApi;

beforeAll(async () => {
  [vhost, database, monitor] = await Promise.all([freshVhost(), freshDatabase('api'), standInMonitor()]);
  bystander = new Bystander(vhost.url);
  prefix = `${unique('bad-input')}-`;
  monitor.jobs.set('job-1', jobView('job-1', 'acme'));
  const nothing: FailuresAnswer = { asOf: FRESH, failures: [], nextCursor: null };
  monitor.answers.set('/internal/jobs/job-1/failures', nothing);
  monitor.answers.set('/internal/workers/events', { asOf: FRESH, events: [], next: null } satisfies RollCallAnswer);
  const diagnosis = {
    code: null,
    severity: null,
    since: null,
    summary: null,
    evidence: [],
    nextActions: [],
    contributing: [],
    notChecked: [],
  };
  monitor.answers.set('/internal/jobs/job-1/diagnosis', { asOf: FRESH, diagnosis } satisfies DiagnosisAnswer);
  api = await startApi({
    RABBITMQ_URL: vhost.url,
    MONGODB_URL: database.url,
    DATABASE_PREFIX: prefix,
    MONITOR_URLS: monitor.url,
    REQUESTS_PER_SECOND: '100000',
  });
  expect(await api.broker.whenConnected(10_000)).toBe(true);
});

afterAll(async () => {
  await api.stop();
  await Promise.all([bystander.close(), monitor.stop()]);
  const client = await MongoClient.connect(database.url);
  await client.db(`${prefix}api`).dropDatabase();
  await client.close();
  await vhost.drop();
});

const nested = (depth: number): unknown => Array.from({ length: depth }).reduce((inner) => ({ a: [inner] }), 1);

/** What is sent by mistake, and what is sent to break in. */
const wild = fc.oneof(
  { weight: 3, arbitrary: fc.anything({ maxDepth: 2, withNullPrototype: false }) },
  fc.constantFrom<unknown>(
    { $gt: '' },
    { $ne: null },
    { $where: 'sleep(1000)' },
    [{ $gt: '' }],
    '$where',
    '\0',
    'a\0b',
    '\ud800',
    '__proto__',
    {},
    [],
    null,
    -0,
    1e308,
    2 ** 53,
    '9'.repeat(400),
    nested(500),
  ),
);
const names = fc.oneof(
  fc.constantFrom('$where', '__proto__', 'constructor', 'a.b', 'tenantId', '_id', ''),
  fc.string(),
);

const right: Record<string, unknown> = {
  resource: 'receipts',
  selection: { ids: ['64b0c0ffee64b0c0ffee64b0'] },
  options: { batch_size: 10, max_records_per_second: 5, verify: 'none' },
  reason: 'a reason',
};

/** A body that is right but for one thing, in any of its depths; or all wrong. */
const bodies = fc.oneof(
  fc.tuple(fc.constantFrom(...Object.keys(right)), wild).map(([name, value]) => ({ ...right, [name]: value })),
  fc.tuple(names, wild).map(([name, value]) => ({ ...right, ...own(name, value) })),
  fc.tuple(names, wild).map(([name, value]) => ({ ...right, selection: { filter: own(name, value) } })),
  fc
    .tuple(fc.constantFrom('company', 'date', 'total'), wild)
    .map(([name, value]) => ({ ...right, selection: { filter: { [name]: value } } })),
  fc
    .tuple(fc.constantFrom('eq', 'in', 'gt', '$gt', '$regex'), wild)
    .map(([name, value]) => ({ ...right, selection: { filter: { total: { [name]: value } } } })),
  wild.map((value) => ({ ...right, selection: { ids: [value] } })),
  wild.map((value) => ({ ...right, selection: { all: value } })),
  fc.tuple(names, wild).map(([name, value]) => ({ ...right, selection: { all: true, ...own(name, value) } })),
  fc.tuple(names, wild).map(([name, value]) => ({ ...right, options: own(name, value) })),
  wild,
);

/** Also of a name that an object literal would take for its prototype. */
const own = (name: string, value: unknown) => Object.defineProperty({}, name, { value, enumerable: true });

/** As text, so that what JSON cannot say is said all the same. */
const texts = fc.oneof(
  { weight: 6, arbitrary: bodies.map(asJson) },
  fc.constantFrom(
    '',
    '{',
    '{"resource":',
    '[1,]',
    'null',
    '{"a":1}{',
    '\ufeff{}',
    '['.repeat(100_000),
    `{"selection":${'['.repeat(9_000)}`,
  ),
  fc.string(),
);

function asJson(value: unknown): string {
  const seen = new Set<unknown>();
  const text: unknown = JSON.stringify(value, (_key, one: unknown) => {
    if (typeof one === 'bigint') return String(one);
    if (typeof one === 'object' && one !== null) {
      if (seen.has(one)) return null;
      seen.add(one);
    }
    return one;
  });
  return String(text);
}

const words = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).filter((word) => word.isWellFormed()),
  fc.constantFrom(
    'job-1',
    '../../internal/jobs',
    '%00',
    "' or 1=1",
    '{"$gt":""}',
    '[$ne]',
    '-1',
    '1e9',
    '99999999999999999999',
    '',
    ' ',
  ),
);

/** 4xx, in the form of a problem that tells nothing of what is inside. */
function expectRefused({ status, headers, body }: Answer): void {
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(`${status} ${String(body['code'])}`).toMatch(/^4\d\d /);
  expect(JSON.stringify(body)).not.toMatch(/node_modules|mongodb:|amqp:|\bat .*\.js|ZodError|SyntaxError/);
}

describe('whatever a body says', () => {
  test('a deletion is refused, or is of that and nothing more', async () => {
    const property = fc.asyncProperty(texts, async (body) => {
      const answer = await api.request('POST', '/api/jobs', {
        body,
        scope,
        headers: { 'content-type': 'application/json' },
      });
      if (answer.status !== 202) {
        expectRefused(answer);
        return;
      }
      const [message] = await bystander.take(workQueues.deleterJobs.name);
      const asked = JSON.parse(body) as typeof right;
      expect(message).toMatchObject({ type: 'DeleteRequested', tenantid: 'acme', data: { resource: 'receipts' } });
      expect(message?.type === 'DeleteRequested' && message.data.selection).toEqual(asked['selection']);
    });
    await fc.assert(property, { numRuns: 5 * RUNS });
  });

  test.each([
    ['POST', '/api/jobs/job-1/pause', { reason: 'a reason' }, 'running'],
    ['POST', '/api/jobs/job-1/retry', { reason: 'a reason' }, 'failed'],
    ['POST', '/api/jobs/job-1/confirm', { reason: 'a reason' }, 'awaiting_confirmation'],
    ['PATCH', '/api/jobs/job-1', { reason: 'a reason', max_records_per_second: 5 }, 'running'],
    ['POST', '/api/pause-all', { reason: 'a reason' }, 'running'],
    ['POST', `/api/parked/${workQueues.deleterJobs.name}/replay`, { count: 1 }, 'running'],
  ] as const)('%s %s is refused, or of nothing but %j', async (method, path, whole, status) => {
    monitor.jobs.set('job-1', { ...jobView('job-1', 'acme'), status });
    const members = Object.keys(whole);
    const small = fc.tuple(fc.constantFrom(...members), fc.oneof(wild, fc.integer({ min: 1, max: 9 }), fc.string()));
    const more = fc.tuple(names, wild).map(([name, value]) => ({ ...whole, ...own(name, value) }));
    const body = fc.oneof(
      texts,
      more.map(asJson),
      small.map(([name, value]) => asJson(own(name, value))),
    );
    const property = fc.asyncProperty(body, async (text) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await api.request(method, path, { body: text, scope, headers });
      if (answer.status >= 300) {
        expectRefused(answer);
        return;
      }
      const asked = (text === '' ? {} : JSON.parse(text.replace(/^\ufeff/, ''))) as Record<string, unknown>;
      expect(Object.keys(asked).filter((name) => !members.includes(name))).toEqual([]);
      if ('count' in asked) expect(asked['count']).toBeGreaterThanOrEqual(1);
      if (asked['max_records_per_second'] !== undefined) {
        expect([null, expect.any(Number)]).toContainEqual(asked['max_records_per_second']);
      }
    });
    await fc.assert(property, { numRuns: 2 * RUNS });
  });
});

describe('a member that is given twice', () => {
  beforeEach(() => bystander.empty());

  const few = '"selection":{"ids":["64b0c0ffee64b0c0ffee64b0"]}';
  test.each([
    ['POST', '/api/jobs', 'selection', `{"resource":"receipts",${few},"selection":{"all":true}}`],
    ['POST', '/api/jobs', 'selection', `\ufeff{"resource":"receipts",${few},"selection":{"all":true}}`],
    [
      'PATCH',
      '/api/jobs/job-1',
      'max_records_per_second',
      '{"max_records_per_second":1,"max_records_per_second":null}',
    ],
    ['POST', '/api/jobs/job-1/cancel', 'reason', '{"reason":"a","reason":"b"}'],
    ['POST', '/api/pause-all', 'reason', '{"reason":"a","reason":"b"}'],
    ['POST', `/api/parked/${workQueues.deleterJobs.name}/replay`, 'count', '{"count":1,"count":2}'],
  ])('%s %s is refused, for its %s: %s', async (method, path, name, body) => {
    const answer = await api.request(method, path, { body, scope, headers: { 'content-type': 'application/json' } });
    const detail = `The body has the member "${name}" twice, with different values.`;
    expect(answer).toMatchObject({ status: 400, body: { code: 'malformed-request', detail } });
    expect(await bystander.depth(workQueues.deleterJobs.name)).toBe(0);
  });
});

describe('whatever stands in the address', () => {
  const operations = Object.entries(openApiOf('test').paths ?? {}).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => [method.toUpperCase(), path] as const),
  );

  test.each(operations)('%s %s answers, or refuses', async (method, path) => {
    const query = fc.array(
      fc.tuple(fc.oneof(fc.constantFrom('limit', 'after', 'at', 'cursor', 'status', 'limit[$gt]'), words), words),
      { maxLength: 3 },
    );
    const property = fc.asyncProperty(words, query, fc.boolean(), async (word, pairs, isRaw) => {
      const part = isRaw ? encodeURI(word).replaceAll(/[?#]/g, '') : encodeURIComponent(word);
      const address = path.replaceAll(/\{\w+\}/g, part);
      // What a client itself would take for another address.
      if (new URL(address, 'http://api').pathname !== address) return;
      // It would go on answering.
      if (path.endsWith('/stream') && word === 'job-1') return;
      const answer = await api.request(method, `${address}?${new URLSearchParams(pairs).toString()}`, {
        scope,
        ...(method === 'GET' ? {} : { body: {} }),
      });
      if (answer.status >= 300) expectRefused(answer);
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});

describe('whatever a header says', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 300 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, '').trim()),
    fc.constantFrom(
      ...['handling=strict, handling=lenient', 'handling=lenient, handling=strict', 'x'.repeat(300), 'a, b', '"'],
      ...['application/json; charset=utf-16', 'application/json', 'text/plain', 'application/jsonp', '-1', '17'],
    ),
  );
  const refusedFor = (answer: Answer, header: string) => {
    expectRefused(answer);
    expect(answer.body['errors']).toEqual([{ header, detail: expect.any(String) }]);
  };

  /** The rest of the request is right: what is refused is refused for this one. */
  test.each<[name: string, is: string, expectOf: (answer: Answer, text: string) => void]>([
    [
      'idempotency-key',
      'a key, or refused by its name',
      (answer, text) => {
        if (/^[\x21-\x7e]{1,255}$/.test(text)) expect(answer.status).toBe(202);
        else refusedFor(answer, 'Idempotency-Key');
      },
    ],
    [
      'prefer',
      'a preference, or ignored',
      ({ status, body }, text) => {
        const strict = { status: 503, code: 'no-listener' };
        expect({ status, code: body['code'] }).toEqual(prefersStrict(text) ? strict : { status: 202 });
      },
    ],
    [
      'content-type',
      'JSON, or refused',
      (answer, text) => {
        if (answer.status === 202) expect(text).toMatch(/^application\/json *(;|$)/i);
        else {
          expectRefused(answer);
          expect(answer.body['code']).toBe('unsupported-media-type');
        }
        if (text === 'application/json') expect(answer.status).toBe(202);
      },
    ],
    ['traceparent', 'ignored', ({ status }) => expect(status).toBe(202)],
    [
      'authorization',
      'refused',
      (answer) => {
        expectRefused(answer);
        expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
      },
    ],
  ])('%s is %s', async (name, _, expectOf) => {
    const property = fc.asyncProperty(value, async (text) => {
      const headers = { 'content-type': 'application/json', [name]: text };
      expectOf(await api.request('POST', '/api/jobs', { body: JSON.stringify(right), scope, headers }), text);
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  test('last-event-id is a position, or refused by its name', async () => {
    const noPosition = value.filter((text) => text !== '' && !/^\d{1,15}$/.test(text));
    const property = fc.asyncProperty(noPosition, async (text) => {
      const headers = { 'last-event-id': text };
      refusedFor(await api.request('GET', '/api/jobs/job-1/stream', { scope, headers }), 'Last-Event-ID');
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});
