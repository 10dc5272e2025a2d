import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WorkerHeartbeat, workQueues } from '@expunge/contracts';
import type { Vhost } from '@expunge/local-stack';
import { BrokerConnection } from '@expunge/messaging';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { type Database, freshDatabase, freshVhost } from '../../../test/support/servers.js';
import { identify } from '../src/identity.js';

jest.setTimeout(60_000);

const main = fileURLToPath(new URL('../../../services/deleter/dist/main.js', import.meta.url));
const HALF_A_HEADER = 'GET /health/live HTTP/1.1\r\nHost: ';
const HALF_A_BODY = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{';

/** A service as it runs in production: any would do that consumes. */
describe('a service told to stop', () => {
  let vhost: Vhost;
  let database: Database;
  let broker: BrokerConnection;
  let child: ChildProcess;
  let exited: Promise<unknown>;
  let port: number;
  const states: string[] = [];
  beforeAll(async () => {
    vhost = await freshVhost();
    database = await freshDatabase('drain');
    const log = pino({ level: 'silent' });
    broker = new BrokerConnection({ url: vhost.url, identity: identify('monitor', undefined, 'test'), log });
    broker.start();
    expect(await broker.whenConnected(10_000)).toBe(true);
    const channel = await broker.openChannel();
    await channel.assertQueue('heartbeats', { exclusive: true, durable: false });
    await channel.bindQueue('heartbeats', 'maintenance', 'worker.#');
    await channel.consume('heartbeats', (message) => {
      if (message) states.push(WorkerHeartbeat.schema.parse(JSON.parse(message.content.toString())).data.state);
    });
  });
  afterEach(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  afterAll(async () => {
    await broker.close();
    await database.drop();
    await vhost.drop();
  });

  const consumers = async (): Promise<number> => {
    const channel = await broker.openChannel();
    const { consumerCount } = await channel.checkQueue(workQueues.deleterJobs.name);
    await channel.close();
    return consumerCount;
  };

  async function start(drainTimeout: string): Promise<void> {
    port = await freePort();
    states.length = 0;
    child = spawn(process.execPath, [main], {
      env: {
        PORT: String(port),
        NODE_ENV: 'production',
        RABBITMQ_URL: vhost.url,
        MONGODB_URL: database.url,
        RECORDS_MONGODB_URL: database.url,
        DRAIN_TIMEOUT: drainTimeout,
      },
      stdio: 'ignore',
    });
    exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as unknown);
    await until('it consumes', async () => (await consumers()) === 1);
  }

  async function say(text: string): Promise<Client> {
    const client = new Client(connect(port, '127.0.0.1'));
    client.socket.write(text);
    // Answered after what came before it was read, by a server of one thread.
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    return client;
  }

  it('is not held up by a connection in the middle of a header', async () => {
    await start('20s');
    const client = await say(HALF_A_HEADER);
    child.kill('SIGTERM');
    await until('the connection is ended', () => client.closed);
    expect(await Promise.race([exited, delay(5_000, 'still there', { ref: false })])).toBe(0);
    expect(states.slice(-2)).toEqual(['draining', 'exiting']);
  });

  it('stops consuming at once, while it waits for a request to be answered', async () => {
    await start('20s');
    const client = await say(HALF_A_BODY);
    child.kill('SIGTERM');
    await until('it stops consuming', async () => (await consumers()) === 0);
    expect(client.closed).toBe(false);
    client.socket.write('}');
    await until('it is answered', () => client.heard.startsWith('HTTP/1.1 404'));
    expect(await Promise.race([exited, delay(5_000, 'still there', { ref: false })])).toBe(0);
  });

  it('waits for a request no longer than DRAIN_TIMEOUT', async () => {
    await start('2s');
    const client = await say(HALF_A_BODY);
    child.kill('SIGTERM');
    await until('the connection is ended', () => client.closed);
    expect(client.heard).toBe('');
    expect(await Promise.race([exited, delay(5_000, 'still there', { ref: false })])).toBe(0);
    expect(states.slice(-2)).toEqual(['draining', 'exiting']);
  });
});

class Client {
  heard = '';
  closed = false;

  constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => (this.heard += bytes.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => (this.closed = true));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function until(what: string, check: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${withinMs} ms`);
    await delay(20);
  }
}
