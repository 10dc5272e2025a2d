import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What one stack owns on disk, and nothing else. */
export interface RunFolder {
  readonly id: string;
  /** `.local/<run>/`: data and logs of the servers. */
  readonly directory: string;
  readonly logs: string;
  /** A Unix socket's path may not exceed 107 bytes, which a clone's own path could: hence the system's temporary folder. */
  readonly sockets: string;
  /** `.local/cache/`: shared by all runs of a clone. */
  readonly cache: string;
}

export function createRunFolder(root: string): RunFolder {
  const id = `run-${randomBytes(4).toString('hex')}`;
  const directory = join(root, '.local', id);
  const logs = join(directory, 'logs');
  const cache = join(root, '.local', 'cache');
  mkdirSync(logs, { recursive: true });
  mkdirSync(cache, { recursive: true });
  return { id, directory, logs, sockets: mkdtempSync(join(tmpdir(), 'expunge-')), cache };
}
