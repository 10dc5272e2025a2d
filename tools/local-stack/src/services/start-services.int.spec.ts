import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { LocalStack } from '../local-stack.js';
import { Guard } from '../process/guard.js';
import { identityOf } from '../process/process-identity.js';
import { createRunFolder } from '../run-folder.js';
import { until } from '../until.js';
import { serviceNames } from './instances.js';
import { type Services, type ServicesOptions, startServices } from './start-services.js';

jest.setTimeout(60_000);

/** A clone whose services do nothing but answer for their health. */
let root: string;
let stack: LocalStack;
let services: Services | undefined;

const healthy = `
import { createServer } from 'node:http';
import { existsSync, writeFileSync } from 'node:fs';
const { INSTANCE, PORT, HOST } = process.env;
console.log('this is ' + INSTANCE);
const ready = () => !existsSync(INSTANCE + '.not-ready');
createServer((request, response) => {
  response.statusCode = request.url === '/health/live' || ready() ? 200 : 503;
  response.end('{"broker":"not connected"}');
}).listen(PORT, HOST);
process.on('SIGTERM', () => {
  if (existsSync(INSTANCE + '.stubborn')) return;
  setTimeout(() => { writeFileSync(INSTANCE + '.drained', ''); process.exit(0); }, 200);
});
`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'expunge-services-'));
  for (const service of serviceNames) {
    const dist = join(root, 'services', service, 'dist');
    mkdirSync(dist, { recursive: true });
    writeFileSync(join(dist, 'main.js'), healthy);
  }
  writeFileSync(join(root, 'package.json'), '{"type": "module"}');
  stack = {
    run: createRunFolder(root),
    guard: new Guard(),
    rabbitmq: { url: 'amqp://broker', managementUrl: 'http://management', server: null, ctl: null },
    mongodb: { url: 'mongodb://store/', recordsUrl: 'mongodb://records/r', server: null, recordsAreOurs: false },
    s3: { endpoint: 'http://s3', region: 'auto', bucket: 'b', accessKeyId: 'i', secretAccessKey: 's', server: null },
    createVhost: () => Promise.reject(new Error('there is no broker')),
    stop: () => Promise.resolve(),
  };
});
afterEach(async () => {
  await services?.stop();
  services = undefined;
  stack.guard.end();
  for (const folder of [root, stack.run.sockets]) rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<ServicesOptions> = {}): Promise<Services> {
  services = await startServices({ stack, root, jwtSecret: 'secret', log: 'files', env: {}, ...options });
  return services;
}

it('starts every instance on a port of its own and starts again, under the same name and port, one that dies', async () => {
  let changes = 0;
  const { all } = await start({ deleters: 2, monitors: 2, onPids: () => (changes += 1) });
  expect(all.map(({ name }) => name)).toEqual([
    'api-1',
    'deleter-1',
    'deleter-2',
    'storage-cleaner-1',
    'monitor-1',
    'monitor-2',
  ]);
  expect(new Set(all.map(({ port }) => port)).size).toBe(6);
  const victim = all[2]!;
  const { pid } = victim.process;
  changes = 0;
  process.kill(pid, 'SIGKILL');
  await until('another deleter-2', () => victim.process.pid !== pid, 5_000);
  await until(
    'its health',
    () =>
      fetch(`${victim.url}/health/live`).then(
        ({ ok }) => ok,
        () => false,
      ),
    5_000,
  );
  expect(identityOf(pid)).toBeNull();
  expect(changes).toBe(1);
  expect(readFileSync(join(stack.run.logs, 'deleter-2.log'), 'utf8')).toBe('this is deleter-2\n'.repeat(2));
});

it('starts a service again whose store is away: it is alive, and ready when the store is', async () => {
  const [deleter] = (await start()).of('deleter');
  writeFileSync(join(root, 'deleter-1.not-ready'), '');
  await deleter!.process.restart();
  expect((await fetch(`${deleter!.url}/health/ready`)).status).toBe(503);
});

it('says which service is not ready and why', async () => {
  writeFileSync(join(root, 'monitor-1.not-ready'), '');
  await expect(start({ startWithin: 10_000 })).rejects.toThrow(
    /^monitor-1 was not ready within 10 s\n {2}\/health\/ready answers 503 {"broker":"not connected"}\n {2}\| this is monitor-1$/,
  );
});

it('gives the last words of a service that dies at start, and leaves no other running', async () => {
  const refusal = 'console.error("RABBITMQ_URL must be a URL"); process.exit(78);';
  writeFileSync(join(root, 'services', 'storage-cleaner', 'dist', 'main.js'), refusal);
  const guarded = jest.spyOn(stack.guard, 'add');
  await expect(start()).rejects.toThrow(
    /^storage-cleaner-1 ended \(exit code 78\) before it was ready\n[^]*\| RABBITMQ_URL must be a URL/,
  );
  expect(guarded.mock.calls.map(([pid]) => identityOf(pid))).toEqual([null, null, null, null]);
});

it('lets services drain, and does not wait for ever', async () => {
  writeFileSync(join(root, 'api-1.stubborn'), '');
  const { all } = await start({ drainWithin: 1_500 });
  await services!.stop();
  expect(all.map(({ name }) => existsSync(join(root, `${name}.drained`)))).toEqual([false, true, true, true]);
  expect(all.map(({ process: { pid } }) => identityOf(pid))).toEqual([null, null, null, null]);
});
