import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { LedgerEventView } from '@expunge/contracts';
import { until, type Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { MongoClient } from 'mongodb';
import { Followed } from '../../../test/support/followed.js';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { Streams } from '../src/stream/streams.service.js';
import { type RunningApi, SECRET, startApi, tokenOf } from './running-api.js';
import { jobView, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(60_000);

const MOST = 1_200;
const claims = { tenant: 'acme', scope: 'jobs:read' };

let vhost: Vhost;
let database: Database;
let monitor: StandInMonitor;
let environment: Record<string, string>;
let api: RunningApi;
/** Whose request never comes to its end. */
const halfOpen: Promise<string>[] = [];
let jobs = 0;
let job: string;

beforeAll(async () => {
  [vhost, database, monitor] = await Promise.all([freshVhost(), freshDatabase('api'), standInMonitor()]);
  environment = {
    RABBITMQ_URL: vhost.url,
    MONGODB_URL: database.url,
    DATABASE_PREFIX: `${unique('stream')}-`,
    MONITOR_URLS: monitor.url,
    STREAMS_PER_TENANT: String(MOST),
  };
  api = await startApi(environment);
  const { port, hostname } = new URL(api.url);
  for (const sent of [
    'GET /api/jobs HTTP/1.1\r\nHost:',
    'POST /api/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  ]) {
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    socket.write(sent);
    halfOpen.push(text(socket));
  }
});

afterAll(async () => {
  await api.stop();
  await monitor.stop();
  const client = await MongoClient.connect(database.url);
  await client.db(`${environment['DATABASE_PREFIX']}api`).dropDatabase();
  await client.close();
  await vhost.drop();
});

beforeEach(() => {
  job = `job-${++jobs}`;
  monitor.fail = 'no';
  monitor.events = [];
  monitor.jobs.set(job, jobView(job, 'acme'));
});

const event = (position: number, data: unknown = { n: position }): LedgerEventView => ({
  position,
  id: `e-${position}`,
  type: 'BatchDeleted',
  source: 'urn:expunge:deleter',
  sequence: position,
  time: '2026-11-01T10:00:00.000Z',
  data,
});

/** Of the job's events, to the monitor. */
const questions = (): string[] => monitor.asked.filter((path) => path.startsWith(`/internal/jobs/${job}/events`));

/** As when a monitor has folded them and said so. */
function happened(...positions: number[]): void {
  monitor.events.push(...positions.map((position) => event(position)));
  api.app.get(Streams).changed(job);
}

function ended(): void {
  const view = jobView(job, 'acme');
  const objects = { ...view.progress.objects, pending: 0 };
  monitor.jobs.set(job, { ...view, status: 'completed', progress: { ...view.progress, objects } });
  api.app.get(Streams).changed(job);
}

async function follow(query = '', headers: Record<string, string> = {}, of = api): Promise<Followed> {
  const authorization = `Bearer ${await tokenOf(claims)}`;
  return Followed.open(`${of.url}/api/jobs/${job}/stream${query}`, { authorization, ...headers });
}

describe('a stream', () => {
  test('tells what has happened, what happens, how the job is then, and its end', async () => {
    happened(3, 5);
    await using stream = await follow();
    expect(stream.response.status).toBe(200);
    expect(Object.fromEntries(stream.response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    await stream.until('the job', () => stream.kinds.includes('job'));
    expect(stream.positions).toEqual([3, 5]);
    expect(stream.last('event')).toEqual(event(5));
    expect(stream.last('job')).toMatchObject({ id: job, tenant: 'acme', status: 'running', as_of: { position: 17 } });
    happened(8, 9);
    await stream.until('what happened since', () => stream.positions.length === 4);
    expect(stream.positions).toEqual([3, 5, 8, 9]);
    ended();
    await stream.ended;
    expect(stream.kinds.at(-1)).toBe('end');
    expect(stream.last('end')).toEqual({ id: job, status: 'completed' });
    expect(stream.retryMs).toBe(2000);
  });

  test('goes on behind the event that its client had last', async () => {
    happened(3, 5, 8);
    await using resumed = await follow('', { 'last-event-id': '5' });
    await resumed.until('the rest', () => resumed.kinds.includes('job'));
    expect(resumed.positions).toEqual([8]);
    expect(questions().filter((asked) => asked.includes('after=0'))).toEqual([]);
    await using asked = await follow('?after=3');
    await asked.until('the rest', () => asked.kinds.includes('job'));
    expect(asked.positions).toEqual([5, 8]);
  });

  test.each([
    ['?after=999999999999999', {}],
    ['', { 'last-event-id': '999999999999999' }],
  ])('that begins beyond the ledger, by %p %j, has all, and holds up no other of its job', async (query, headers) => {
    happened(3, 5);
    await using beyond = await follow(query, headers);
    await beyond.until('the job', () => beyond.kinds.includes('job'));
    await using other = await follow();
    await other.until('the job', () => other.kinds.includes('job'));
    happened(8);
    for (const stream of [beyond, other]) {
      await stream.until('what happened since', () => stream.positions.includes(8));
      expect(stream.positions).toEqual([3, 5, 8]);
    }
    ended();
    await Promise.all([beyond.ended, other.ended]);
    expect(questions().length).toBeLessThan(40);
    await using late = await follow(query, headers);
    await late.ended;
    expect(late.kinds).toEqual(['event', 'event', 'event', 'job', 'end']);
  });

  test('loses and repeats nothing, whenever its client is cut and comes back', async () => {
    const all = Array.from({ length: 60 }, (_, i) => 2 * i + 1);
    const heard: number[] = [];
    for (let cut = 1; heard.length < all.length; cut++) {
      await using stream = await follow('', heard.length > 0 ? { 'last-event-id': String(heard.at(-1)) } : {});
      happened(...all.slice(monitor.events.length, monitor.events.length + 4));
      await stream.until(
        'some more',
        () => stream.positions.length >= Math.min(1 + (cut % 3), all.length - heard.length),
      );
      heard.push(...stream.positions);
    }
    expect(heard).toEqual(all);
  });

  test('of a job that is over, and of which all was heard, is a 204: nobody is to come back', async () => {
    happened(3);
    ended();
    const { status, body } = (await follow('', { 'last-event-id': '3' })).response;
    expect([status, body]).toEqual([204, null]);
    await using behind = await follow('', { 'last-event-id': '2' });
    await behind.ended;
    expect(behind.kinds).toEqual(['event', 'job', 'end']);
  });

  test('is kept open while no monitor answers, and goes on when one does', async () => {
    happened(1);
    await using stream = await follow();
    await stream.until('the job', () => stream.kinds.includes('job'));
    monitor.fail = 'error';
    happened(2);
    await until(
      'it was asked for in vain',
      () => api.logged.some((line) => line.includes('a stream waits for a monitor')),
      10_000,
    );
    monitor.fail = 'no';
    await stream.until('what happened meanwhile', () => stream.positions.length === 2);
    expect(stream.positions).toEqual([1, 2]);
  });

  test('ends with its token', async () => {
    const token = await tokenOf(claims, undefined, new Date(Date.now() + 2_000));
    await using stream = await follow('', { authorization: `Bearer ${token}` });
    await stream.ended;
    expect(stream.kinds).not.toContain('end');
  });

  test('does not end at once with a token that expires beyond all dates', async () => {
    const key = new TextEncoder().encode(SECRET);
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime(1e15).sign(key);
    await using stream = await follow('', { authorization: `Bearer ${token}` });
    await stream.until('the job', () => stream.kinds.includes('job'));
    happened(1);
    await stream.until('what happens', () => stream.positions.length === 1);
  });

  test('that is asked for by HEAD has its headers, and is none', async () => {
    const authorization = `Bearer ${await tokenOf(claims)}`;
    const answer = await fetch(`${api.url}/api/jobs/${job}/stream`, { method: 'HEAD', headers: { authorization } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(openStreams()).toBe(0);
    expect(questions()).toEqual([]);
  });

  test('is cut when its client reads nothing', async () => {
    monitor.events = Array.from({ length: 40 }, (_, i) => event(i + 1, { text: 'x'.repeat(500_000) }));
    const { port, hostname } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    const authorization = `Bearer ${await tokenOf(claims)}`;
    socket.write(`GET /api/jobs/${job}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`);
    socket.pause();
    await until(
      'it is cut',
      () => openStreams() === 0 && monitor.asked.some((path) => path.includes(job) && path.includes('after=3')),
      30_000,
    );
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.resume();
    await closed;
  });

  test('is one of a thousand, and each has the event', async () => {
    const streams: Followed[] = [];
    // Not all at once: what waits to be accepted has a limit of its own.
    for (let i = 0; i < 20; i++) streams.push(...(await Promise.all(Array.from({ length: 50 }, () => follow()))));
    happened(1);
    await Promise.all(streams.map((stream) => stream.until('the event', () => stream.positions.length === 1, 30_000)));
    ended();
    await Promise.all(streams.map(({ ended: end }) => end));
    expect(new Set(streams.map(({ kinds }) => kinds.at(-1)))).toEqual(new Set(['end']));
    await until('none is left', () => openStreams() === 0, 10_000);
  });
});

const openStreams = (): number => api.app.get(Streams).open;

describe('no stream', () => {
  const get = (path: string, tenant = 'acme', headers = {}) =>
    api.request('GET', `/api/jobs/${path}`, { tenant, headers });

  test("is opened of another tenant's job, or of none", async () => {
    for (const answer of [await get(`${job}/stream`, 'other'), await get('nothing/stream')]) {
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 404, code: 'not-found' });
    }
  });

  test('is opened without a token, or without the scope', async () => {
    const path = `/api/jobs/${job}/stream`;
    expect((await api.request('GET', path, { token: null })).status).toBe(401);
    expect((await api.request('GET', path, { scope: 'jobs:write' })).status).toBe(403);
  });

  test.each([
    ['?after=x', {}, { parameter: 'after' }],
    ['?after=1&after=2', {}, { parameter: 'after' }],
    ['?from=1', {}, { parameter: 'from' }],
    ['', { 'last-event-id': '-1' }, { header: 'Last-Event-ID' }],
  ])('is opened by %s %j', async (query, headers, where) => {
    const { status, body } = await get(`${job}/stream${query}`, 'acme', headers);
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([where]);
  });

  test('is opened beyond the number that a tenant may have, until one has ended', async () => {
    const few = await startApi({ ...environment, STREAMS_PER_TENANT: '2' });
    try {
      await using first = await follow('', {}, few);
      const second = await follow('', {}, few);
      const refused = await few.request('GET', `/api/jobs/${job}/stream`);
      expect({ status: refused.status, code: refused.body.code }).toEqual({ status: 429, code: 'too-many-streams' });
      expect(refused.headers.get('retry-after')).toBe('30');
      await second[Symbol.asyncDispose]();
      await until('there is room', () => few.app.get(Streams).open === 1, 10_000);
      await using third = await follow('', {}, few);
      expect([first.response.status, third.response.status]).toEqual([200, 200]);
    } finally {
      await few.stop();
    }
  });
});

test('a stream on which nothing happens has comments', async () => {
  const other = await startApi(environment, { beatEveryMs: 50 });
  try {
    await using stream = await follow('', {}, other);
    await stream.until('three of them', () => stream.comments.length >= 3);
    expect(new Set(stream.comments)).toEqual(new Set(['heartbeat']));
    expect(stream.positions).toEqual([]);
  } finally {
    await other.stop();
  }
});

test('an instance that stops sends its streams away, and says when to come back', async () => {
  const other = await startApi(environment);
  happened(1);
  await using stream = await follow('', {}, other);
  await stream.until('the job', () => stream.kinds.includes('job'));
  await other.stop();
  await stream.ended;
  expect(stream.kinds).not.toContain('end');
  expect(stream.retryMs).toBeGreaterThanOrEqual(1_000);
  expect(stream.retryMs).toBeLessThanOrEqual(6_000);
});

test('a connection whose request never comes to its end is told so, and cut', async () => {
  for (const answer of await Promise.all(halfOpen)) expect(answer).toMatch(/^HTTP\/1.1 408 .*"request-timeout"/s);
}, 90_000);
