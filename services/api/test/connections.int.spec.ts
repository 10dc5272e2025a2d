import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { until } from '@expunge/local-stack';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Streams } from '../src/stream/streams.service.js';
import { type RunningApi, startApi, tokenOf } from './running-api.js';
import { jobView, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(60_000);

/** Nothing here gets so far as to a broker or a database. */
const NOBODYS = { RABBITMQ_URL: 'amqp://127.0.0.1:9', MONGODB_URL: 'mongodb://127.0.0.1:9' };

let monitor: StandInMonitor;
let api: RunningApi;
let authorization: string;

beforeAll(async () => {
  monitor = await standInMonitor();
  monitor.jobs.set('j1', jobView('j1', 'acme'));
  api = await startApi({ ...NOBODYS, MONITOR_URLS: monitor.url });
  authorization = `Authorization: Bearer ${await tokenOf({ tenant: 'acme', scope: 'jobs:read jobs:write' })}\r\n`;
});

afterAll(async () => {
  await api.stop();
  await monitor.stop();
});

beforeEach(() => {
  monitor.fail = 'no';
});

function open(sent: string, url = api.url): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(sent);
  return socket;
}

const HEAD = 'HTTP/1.1\r\nHost: x\r\n';
const JSON_CHUNKS = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1';

/** The last answer of a connection, and what stood before it. */
function lastAnswer(received: string): { before: string; head: string; body: Record<string, unknown> } {
  const at = received.lastIndexOf('HTTP/1.1 ');
  const [head = '', body = ''] = received.slice(at).split('\r\n\r\n');
  return { before: received.slice(0, at), head, body: JSON.parse(body) as Record<string, unknown> };
}

describe('what is no HTTP', () => {
  test.each([
    ['no request line', 'hello\r\n\r\n', 400, 'malformed-request'],
    ['a header without a name', `GET / ${HEAD}: x\r\n\r\n`, 400, 'malformed-request'],
    ['a body in broken chunks', `POST / ${HEAD}${JSON_CHUNKS}\r\n{\r\nz\r\n`, 400, 'malformed-request'],
    ['headers without end', `GET / ${HEAD}A: ${'x'.repeat(20_000)}`, 431, 'headers-too-large'],
    ['an address without end', `GET /${'x'.repeat(20_000)}`, 431, 'headers-too-large'],
  ])('is answered with a problem: %s', async (_, sent, status, code) => {
    const { before, head, body } = lastAnswer(await text(open(sent)));
    expect(before).toBe('');
    expect(head.split('\r\n')).toEqual([
      expect.stringMatching(`^HTTP/1.1 ${status} `),
      'Content-Type: application/problem+json; charset=utf-8',
      expect.stringMatching(/^Content-Length: \d+$/),
      'Connection: close',
    ]);
    expect(body).toEqual({
      type: `urn:expunge:problem:${code}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      code,
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test('is answered behind what was answered before', async () => {
    const socket = open(`GET /health/live ${HEAD}\r\n`);
    const received = text(socket);
    await once(socket, 'data');
    socket.write('hello\r\n\r\n');
    const { before, body } = lastAnswer(await received);
    expect(before).toMatch(/^HTTP\/1.1 200 .*{"status":"ok"}$/s);
    expect(body).toMatchObject({ code: 'malformed-request' });
  });

  test('is not taken for the answer to another request that waits for its own', async () => {
    monitor.fail = 'silent';
    expect(await text(open(`GET /api/jobs ${HEAD}${authorization}\r\nhello\r\n\r\n`))).toBe('');
  });

  test('does not stand in an answer under way', async () => {
    const socket = open(`GET /api/jobs/j1/stream ${HEAD}${authorization}\r\n`);
    const received = text(socket);
    await once(socket, 'data');
    socket.write('hello\r\n\r\n');
    expect(await received.catch(() => 'cut')).not.toContain('malformed-request');
    await until('the stream is closed', () => api.app.get(Streams).open === 0, 10_000);
  });

  test('nor a connection that is reset troubles anybody else', async () => {
    for (const sent of [`POST / ${HEAD}Content-Length: 9\r\n\r\n{`, `GET / ${HEAD}A: ${'x'.repeat(20_000)}`]) {
      const socket = open(sent);
      await once(socket, 'connect');
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    expect((await api.request('GET', '/health/live')).status).toBe(200);
  });
});

describe('an answer', () => {
  const IDLE_MS = 1_000;
  const event = {
    position: 1,
    id: 'e-1',
    type: 'BatchDeleted',
    source: 'urn:expunge:deleter',
    sequence: 1,
    time: '2026-11-01T10:00:00.000Z',
    // More than two sockets' buffers hold.
    data: { text: 'x'.repeat(30_000_000) },
  };

  let impatient: RunningApi;
  let connections: () => Promise<number>;
  beforeAll(async () => {
    impatient = await startApi({ ...NOBODYS, MONITOR_URLS: monitor.url }, { idleMs: IDLE_MS });
    const server = impatient.app.getHttpServer() as Server;
    connections = promisify(server.getConnections.bind(server));
  });
  afterAll(() => impatient.stop());
  beforeEach(() => {
    monitor.events = [event];
  });

  test('that nobody reads is cut', async () => {
    const socket = open(`GET /api/jobs/j1/events ${HEAD}${authorization}\r\n`, impatient.url);
    await once(socket, 'readable');
    await until('it is cut', async () => (await connections()) === 0, 30_000);
    const cut = await text(socket).catch(() => '');
    expect(cut.length).toBeLessThan(event.data.text.length);
  });

  test('that is read slowly is read to its end', async () => {
    const socket = open(`GET /api/jobs/j1/events ${HEAD}Connection: close\r\n${authorization}\r\n`, impatient.url);
    const began = performance.now();
    let length = 0;
    for await (const chunk of socket) {
      length += (chunk as Buffer).length;
      // So that the whole takes several times as long as it may be idle.
      while (performance.now() - began < (2.5 * IDLE_MS * length) / event.data.text.length) await turn();
    }
    expect(length).toBeGreaterThan(event.data.text.length);
  });

  test('that takes us longer is waited for', async () => {
    monitor.fail = 'silent';
    const began = performance.now();
    const received = await text(open(`GET /api/jobs ${HEAD}Connection: close\r\n${authorization}\r\n`, impatient.url));
    expect(lastAnswer(received).body).toMatchObject({ code: 'monitor-unreachable' });
    expect(performance.now() - began).toBeGreaterThan(IDLE_MS);
  });
});
