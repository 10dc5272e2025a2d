import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import getPort from 'get-port';

const loopback = '127.0.0.1';

/**
 * Free ports on the loopback address. Below the range the kernel gives to outgoing connections, so that a server killed
 * and started again finds its port free; at random, so that two stacks starting side by side rarely try the same one.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    ports.add(await getPort({ host: loopback, port: Array.from({ length: 20 }, () => randomInt(10_000, 32_000)) }));
  }
  return [...ports];
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('no free port on 127.0.0.1');
  return port;
}

const conflict = /EADDRINUSE|address already in use|Address already in use|ERR_ADDRESS_IN_USE|already running/i;
/** What was killed shows as ended a moment before its last thread lets go of its ports. */
const releasedWithin = 2_000;

/** Starts something that takes ports, and again with other ports when somebody else was faster. */
export async function withFreePorts<T>(count: number, start: (ports: number[]) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = await freePorts(count);
    try {
      return await start(ports);
    } catch (error) {
      if (attempt === 3 || !(conflict.test(String(error)) || (await areTaken(ports)))) throw error;
    }
  }
}

/** Whoever failed may have said why where nobody reads it: what it started has ended, so whose port is taken is not ours. */
async function areTaken(ports: number[]): Promise<boolean> {
  const end = Date.now() + releasedWithin;
  while (!(await Promise.all(ports.map(isFree))).every(Boolean)) {
    if (Date.now() > end) return true;
    await delay(50);
  }
  return false;
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(port, loopback, () => server.close(() => resolve(true)));
  });
}
