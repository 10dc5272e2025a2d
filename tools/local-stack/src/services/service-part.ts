import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Guard } from '../process/guard.js';
import { GuardedProcess } from '../process/guarded-process.js';
import type { LogFile } from '../process/log-file.js';
import type { Part } from '../process/supervised.js';
import { askHealth } from './health.js';
import type { Instance, ServiceName } from './instances.js';

export interface ServicePartOptions {
  readonly root: string;
  readonly guard: Guard;
  /** Asked at each start. */
  readonly env: () => NodeJS.ProcessEnv;
  /** null: its lines go where ours go. */
  readonly log: LogFile | null;
  readonly say: (line: string) => void;
}

/**
 * V8 lets the young generation of a busy process grow to 128 MB whatever it keeps, and the old one to four times what it
 * keeps before it collects; below 1 GB of heap it is content with less than twice. Only the command line can say so:
 * package.json's `start:…` scripts do the same. What the storage-cleaner parses outlives 8 MB: with 16 it needs a fifth
 * less processor time.
 */
export function nodeOptionsOf(service: ServiceName): string[] {
  return [`--max-semi-space-size=${service === 'storage-cleaner' ? 16 : 8}`, '--max-old-space-size=512'];
}

/** Milliseconds without being ready after which somebody who waits wants to know why. */
const worthSaying = 10_000;

export function servicePart(instance: Instance, { root, guard, env, log, say }: ServicePartOptions): Part {
  const main = join(root, 'services', instance.service, 'dist', 'main.js');
  // A service that lost a store after its start is not ready, but alive: only a first start insists on everything.
  let question: 'ready' | 'live' = 'ready';
  let why = '';
  return {
    name: instance.name,
    spawn: () =>
      new GuardedProcess(guard, {
        file: process.execPath,
        args: [...nodeOptionsOf(instance.service), main],
        env: env(),
        cwd: root,
        output: log?.descriptor ?? 'inherit',
      }),
    ready: async (process, signal) => {
      const startedAt = Date.now();
      for (let said = false; ;) {
        const health = await askHealth(instance.url, question);
        if (health.ok) break;
        // Given up meanwhile, it has been ended: what it answered before says more.
        signal.throwIfAborted();
        why = health.why;
        if (!said && Date.now() - startedAt > worthSaying) {
          said = true;
          say(`waiting for ${instance.name}: ${why}`);
        }
        await delay(100, undefined, { signal });
      }
      question = 'live';
      return process.pid;
    },
    lastWords: () => [why && `  ${why}`, log?.lastLines()].filter(Boolean).join('\n'),
  };
}
