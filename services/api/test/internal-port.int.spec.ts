import { get } from 'node:http';
import { freePort, until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { builtMain, type ServiceProcess, startProcess } from '../../../test/support/service-process.js';
import { SECRET } from './running-api.js';

jest.setTimeout(60_000);

/** As a process of its own: it is the start of a service that opens the port. */
describe('an api with INTERNAL_PORT', () => {
  let process: ServiceProcess;
  let user: string;
  let internal: string;
  beforeAll(async () => {
    const [port, internalPort] = [await freePort(), await freePort()];
    [user, internal] = [port, internalPort].map((one) => `http://127.0.0.1:${one}`) as [string, string];
    process = startProcess(builtMain('api'), {
      PORT: String(port),
      INTERNAL_PORT: String(internalPort),
      RABBITMQ_URL: 'amqp://127.0.0.1:9',
      MONGODB_URL: 'mongodb://127.0.0.1:9',
      MONITOR_URLS: 'http://127.0.0.1:9',
      JWT_SECRET: SECRET,
    });
    await until(
      'it answers',
      async () => (await fetch(`${internal}/health/live`).catch(() => null))?.ok === true,
      30_000,
    );
  });
  afterAll(async () => {
    process.kill('SIGKILL');
    await process.exited;
  });

  test.each(['/health/live', '/health/ready', '/metrics'])('answers %s there alone', async (path) => {
    expect((await fetch(internal + path)).status).not.toBe(404);
    const answer = await fetch(user + path);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  test.each(['/METRICS', '/Metrics/', '/Health/live', '/HEALTH/LIVE/'])(
    'answers %s, the same, there alone',
    async (path) => {
      expect((await fetch(internal + path)).status).toBe(200);
      expect((await fetch(user + path)).status).toBe(404);
    },
  );

  test.each([
    '//metrics',
    '/%6detrics',
    '/%2fmetrics',
    '/health%2Flive',
    '/metrics%20',
    '/metrics;a',
    '/./metrics/..;/metrics',
  ])('takes %s for none of them, anywhere', async (path) => {
    for (const port of [internal, user]) expect(await statusOf(port, path)).toBe(404);
  });

  test.each(['/METRICS?a=/api', '/metrics#a', 'http://elsewhere/Metrics'])(
    'answers %s, as no client writes it, there alone',
    async (target) => {
      expect([await statusOf(internal, target), await statusOf(user, target)]).toEqual([200, 404]);
    },
  );

  test.each(['/api/jobs', '/api/docs', '/api/openapi.json', '/'])('does not answer %s there', async (path) => {
    expect((await fetch(internal + path)).status).toBe(404);
  });

  test('answers users on the other', async () => {
    expect((await fetch(`${user}/api/jobs`)).status).toBe(401);
  });

  test('ends when it is told to, though somebody holds a connection to it', async () => {
    await fetch(`${internal}/health/live`, { headers: { connection: 'keep-alive' } });
    process.kill('SIGTERM');
    expect(await process.exited).toBe(0);
  });
});

/** Of a target as it stands here: `fetch` would put it right. */
function statusOf(url: string, path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  get({ hostname, port, path }, (response) => resolve(response.resume().statusCode)).on('error', reject);
  return promise;
}
