import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { builtScript } from '../paths.js';
import { withFreePorts } from '../ports.js';
import { GuardedProcess } from '../process/guarded-process.js';
import { LogFile } from '../process/log-file.js';
import { reportedReady } from '../process/reported-ready.js';
import { Supervised } from '../process/supervised.js';
import type { Surroundings } from '../surroundings.js';
import type { HostOptions } from './host-options.js';

export interface ObjectStore {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface StartedObjectStore extends ObjectStore {
  readonly server: Supervised;
}

/** Cloudflare's R2 simulator with its S3 endpoint; about 0.7 s. Path style; the first bucket is the default one. */
export async function startObjectStore(
  surroundings: Surroundings,
  buckets: readonly [string, ...string[]],
): Promise<StartedObjectStore> {
  const { run, guard } = surroundings;
  const folder = join(run.directory, 's3');
  mkdirSync(folder, { recursive: true });
  const log = new LogFile(join(run.logs, 's3.log'));
  const credentials = {
    accessKeyId: randomBytes(16).toString('hex'),
    secretAccessKey: randomBytes(32).toString('hex'),
  };
  return withFreePorts(1, async ([port = 0]) => {
    const options: HostOptions = { port, folder, buckets, credentials };
    const command = { file: process.execPath, args: [builtScript('object-store/host.js'), JSON.stringify(options)] };
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], CI: 'true', TMPDIR: run.sockets };
    const server = new Supervised(
      {
        name: 's3',
        spawn: () => new GuardedProcess(guard, { ...command, env, ipc: true, output: log.descriptor }),
        ready: reportedReady,
        lastWords: () => log.lastLines(),
      },
      surroundings.supervision(60_000),
    );
    await server.start();
    const endpoint = `http://127.0.0.1:${port}/cdn-cgi/local/r2/s3`;
    return { endpoint, region: 'auto', bucket: buckets[0], ...credentials, server };
  });
}
