import { once } from 'node:events';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Vhost } from '@expunge/local-stack';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Beats, listenToBeats } from '../../../test/support/beats.js';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { seen } from '../../../test/support/seen.js';
import { builtMain, type ServiceProcess, startProcess } from '../../../test/support/service-process.js';

jest.setTimeout(120_000);

/** A preload, the same for any service: throws, or rejects, when the test says so, and each brings another along. */
const BREAKS = `data:text/javascript,
  process.once('SIGUSR2', () => { void Promise.reject(new Error('too')); throw new TypeError('x is undefined at mongodb://ann:hunter2@a'); });
  process.once('SIGHUP', () => { void Promise.reject(new Error('nobody waits'));
    setImmediate(() => { throw new Error('too'); }); });`.replaceAll('\n', '');

describe('a service that cannot go on', () => {
  let vhost: Vhost;
  let database: Database;
  let beats: Beats;
  let instance: string;
  let service: ServiceProcess | undefined;
  beforeAll(async () => {
    [vhost, database] = [await freshVhost(), await freshDatabase('words')];
    beats = await listenToBeats(vhost.url);
  });
  afterEach(async () => {
    service?.kill('SIGKILL');
    await service?.exited;
  });
  afterAll(async () => {
    await beats.close();
    await database.drop();
    await vhost.drop();
  });

  function start(settings: Record<string, string> = {}, main = builtMain('deleter'), node: string[] = []) {
    instance = unique('deleter');
    const needed = { RABBITMQ_URL: vhost.url, MONGODB_URL: database.url, RECORDS_MONGODB_URL: database.url };
    return (service = startProcess(main, { INSTANCE: instance, ...needed, ...settings }, node));
  }

  /** They were confirmed before it exited; the listener may hear them a moment later. */
  const lastWords = () => seen('its last words', () => beats.of(instance).find(({ data }) => data.exit));

  const running = () => seen('it runs', () => beats.of(instance).some(({ data }) => data.state === 'running'));

  /** The only line of an error that it logged, and its last words: nothing comes after them. */
  async function end() {
    const code = await service?.exited;
    const { data } = await lastWords();
    expect(beats.of(instance).at(-1)?.data).toBe(data);
    expect(data).toMatchObject({ service: 'deleter', state: 'exiting', ready: false });
    return { code, exit: data.exit, error: data.lastError, doing: data.doing };
  }
  const fatal = (code: number) => ({ code, exit: { code, reason: 'fatal' } });
  const troubles = () => service?.lines.filter(({ level }) => level === 'error' || level === 'fatal');

  it('for its settings names them in its last words as it prints them, and no secret', async () => {
    const { lines, stderr } = start({
      RECORDS_MONGODB_URL: '',
      MONGODB_URL: 'ftp://ann:hunter2@a',
      PORT: 'eighty',
      STORE_RETRY_FOR: '',
    });
    const message = [
      'PORT must be an integer from 0 to 65535, but is "eighty"',
      'MONGODB_URL must be a URL beginning with mongodb:// or mongodb+srv:// (value not shown)',
      'RECORDS_MONGODB_URL is required',
    ];
    expect(await end()).toMatchObject({
      ...fatal(78),
      error: { code: 'SETTINGS_INVALID', message: message.join('\n') },
    });
    expect({ lines, stderr }).toEqual({ lines: [], stderr: ['deleter cannot start:', ...message] });
    expect(JSON.stringify(beats.heard)).not.toContain('hunter2');
    expect(beats.of(instance)).toHaveLength(1);
  });

  it('for its resources says so', async () => {
    start({ RESOURCES_FILE: '/nowhere.json' });
    const error = { code: 'SETTINGS_INVALID', message: expect.stringContaining('/nowhere.json cannot be read') };
    expect(await end()).toMatchObject({ ...fatal(78), error });
  });

  it('and has no broker to tell prints why, and exits', async () => {
    const { stderr, exited } = start({ RABBITMQ_URL: 'http://ann:hunter2@a' });
    expect(await exited).toBe(78);
    expect(stderr).toEqual([
      'deleter cannot start:',
      'RABBITMQ_URL must be a URL beginning with amqp:// or amqps:// (value not shown)',
    ]);
  });

  it('does not wait for a broker that says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const { exited, stderr } = start({ RABBITMQ_URL: `amqp://127.0.0.1:${port}`, PORT: '-' });
    await seen('it asks', () => sockets.length > 0);
    const asked = Date.now();
    expect(await exited).toBe(78);
    expect(Date.now() - asked).toBeLessThan(8_000);
    expect(stderr).toHaveLength(2);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('as another has its port says so, in one line', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    start({ PORT: String(port) });
    const error = { code: 'START_FAILED', message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}` };
    expect(await end()).toMatchObject({ ...fatal(1), error });
    expect(troubles()).toMatchObject([{ level: 'fatal', msg: 'could not start', err: { message: error.message } }]);
    other.close();
  });

  describe('of which a module is missing', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'expunge-missing-'));
      const root = fileURLToPath(new URL('../../..', import.meta.url));
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
      await writeFile(join(folder, 'package.json'), '{"type": "module"}');
      await cp(dirname(builtMain('deleter')), join(folder, 'dist'), { recursive: true });
      await rm(join(folder, 'dist', 'watchdog.service.js'));
    });
    afterAll(() => rm(folder, { recursive: true }));

    it('says which, in one line', async () => {
      const { stderr } = start({}, join(folder, 'dist', 'main.js'));
      const error = { code: 'START_FAILED', message: expect.stringMatching(/MODULE_NOT_FOUND.*watchdog\.service\.js/) };
      expect(await end()).toMatchObject({ ...fatal(1), error });
      expect(service?.lines).toMatchObject([{ level: 'fatal', msg: 'could not start' }]);
      expect(stderr).toEqual([]);
    });
  });

  it.each([
    ['an exception', 'SIGUSR2', 'UNCAUGHT_EXCEPTION', 'x is undefined at mongodb://***@a', 'uncaughtException'],
    ['a rejection', 'SIGHUP', 'UNHANDLED_REJECTION', 'nobody waits', 'unhandledRejection'],
  ] as const)('for %s that nobody caught says it, in one line', async (_, signal, code, message, msg) => {
    const { kill } = start({}, builtMain('deleter'), ['--import', BREAKS]);
    await running();
    kill(signal);
    expect(await end()).toMatchObject({ ...fatal(1), error: { code, message } });
    expect(troubles()).toMatchObject([{ level: 'fatal', msg }]);
    expect(service?.stderr).toEqual([]);
  });

  it('is not one that was told to stop', async () => {
    const { kill } = start();
    await running();
    kill('SIGTERM');
    expect(await end()).toMatchObject({ code: 0, exit: { code: 0, reason: 'stopped' }, error: null });
    expect(troubles()).toEqual([]);
  });
});
