import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repositoryRoot } from '../../test/support/command.js';

const KEYS_AT_ONCE = 50_000;

/** One of bucket-server.ts. */
export class MemoryBucket {
  private constructor(
    private readonly server: ChildProcess,
    private readonly endpoint: string,
  ) {}

  static async start(delayMs: number): Promise<MemoryBucket> {
    const server = fork(builtBench('throughput/bucket-server'), [String(delayMs)], { env: plainEnvironment() });
    const [{ port }] = (await once(server, 'message')) as [{ port: number }];
    return new MemoryBucket(server, `http://127.0.0.1:${port}`);
  }

  get pid(): number {
    return this.server.pid ?? 0;
  }

  /** As somebody's own bucket is given to a stack. */
  get env(): NodeJS.ProcessEnv {
    return { S3_ENDPOINT: this.endpoint, S3_BUCKET: 'bench', S3_ACCESS_KEY_ID: 'any', S3_SECRET_ACCESS_KEY: 'any' };
  }

  async fill(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
      const body = keys.slice(from, from + KEYS_AT_ONCE).join('\n');
      await fetch(`${this.endpoint}/?fill`, { method: 'POST', body });
    }
  }

  async count(prefix: string): Promise<number> {
    return Number(await (await fetch(`${this.endpoint}/?count&prefix=${encodeURIComponent(prefix)}`)).text());
  }

  async stop(): Promise<void> {
    const ended = once(this.server, 'exit');
    this.server.kill('SIGKILL');
    await ended;
  }
}

/** What is started as a process comes from the build. */
export const builtBench = (name: string): string => join(repositoryRoot, 'test', 'dist', 'bench', `${name}.js`);

/** Without what Jest needs of its Node. */
export const plainEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env, NODE_OPTIONS: '' });
