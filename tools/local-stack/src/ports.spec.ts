import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { withFreePorts } from './ports.js';

const others: Server[] = [];
afterEach(() => {
  for (const server of others.splice(0)) server.close();
});

async function taken(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  others.push(server);
  return server;
}

it('starts again with other ports when somebody has one of them, though nothing says so', async () => {
  const tried: number[][] = [];
  const started = await withFreePorts(2, async (ports) => {
    tried.push(ports);
    if (tried.length > 1) return ports;
    await taken(ports[1]!);
    throw new Error('monitor-1 ended (exit code 1) before it was ready');
  });
  expect(tried).toHaveLength(2);
  expect(started).toEqual(tried[1]);
});

it('starts nothing again that failed for another reason, though its ports are free only a moment later', async () => {
  const start = async ([port = 0]: number[]) => {
    const dying = await taken(port);
    setTimeout(() => dying.close(), 200);
    throw new Error(`RABBITMQ_URL must be a URL (${(tries += 1)})`);
  };
  let tries = 0;
  await expect(withFreePorts(1, start)).rejects.toThrow('RABBITMQ_URL must be a URL (1)');
});
