import { existsSync, mkdirSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { ensureInstalled, GuardedProcess, type LocalStack, until } from '@expunge/local-stack';

const howToGetIt = () => 'Redis is missing: install it, so that redis-server is on the PATH';

function locate(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'redis-server')).find((file) => existsSync(file)) ?? null;
}

export interface Redis {
  socket: string;
  pid: number;
}

/** A private Redis beside the servers of a stack, with which it ends; it listens on a Unix socket alone, and persists by its defaults. */
export async function startRedis({ run, guard }: Pick<LocalStack, 'run' | 'guard'>): Promise<Redis> {
  const say = (line: string) => void process.stdout.write(`expunge: ${line}\n`);
  const file = await ensureInstalled({ name: 'redis-server', locate, howToGetIt }, run.cache, say);
  const folder = join(run.directory, 'redis');
  mkdirSync(folder);
  const socket = join(run.sockets, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', socket, '--dir', folder];
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' };
  const output = openSync(join(run.logs, 'redis.log'), 'a');
  const server = new GuardedProcess(guard, { file, args, env, output });
  await until('Redis', () => accepts(socket), 10_000);
  return { socket, pid: server.pid };
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket
      .once('error', () => resolve(false))
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      });
  });
}
