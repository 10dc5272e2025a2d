import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { builtScript } from '../paths.js';
import { GuardedProcess } from '../process/guarded-process.js';
import { LogFile } from '../process/log-file.js';
import { reportedReady } from '../process/reported-ready.js';
import { Supervised } from '../process/supervised.js';
import type { Surroundings } from '../surroundings.js';
import { databaseUrl } from './database-url.js';
import { nodeCommand } from './glibc.js';

export interface StartedMongoDb {
  readonly url: string;
  readonly server: Supervised;
  readonly stop?: (patience: number) => Promise<void>;
}

/** MongoDB's engine in a Node process of its own, behind a Unix socket; about 0.3 s. */
export async function startMongoDb(surroundings: Surroundings): Promise<StartedMongoDb> {
  const { run, guard } = surroundings;
  const data = join(run.directory, 'mongodb');
  const socket = join(run.sockets, 'mongodb.sock');
  mkdirSync(data, { recursive: true });
  const log = new LogFile(join(run.logs, 'mongodb.log'));
  const [file = '', ...args] = await nodeCommand(run.cache, surroundings.say);
  const command = { file, args: [...args, builtScript('mongodb/host.js'), data, socket], ipc: true };
  const env = { PATH: process.env['PATH'], TMPDIR: run.sockets };
  const server = new Supervised(
    {
      name: 'mongodb',
      spawn: () => new GuardedProcess(guard, { ...command, env, output: log.descriptor }),
      ready: reportedReady,
      lastWords: () => log.lastLines(),
    },
    surroundings.supervision(60_000),
  );
  await server.start();
  return { url: databaseUrl(`mongodb://${encodeURIComponent(socket)}/?directConnection=true`, ''), server };
}
