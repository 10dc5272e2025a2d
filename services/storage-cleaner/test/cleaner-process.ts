import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '@expunge/local-stack';

export interface CleanerProcess {
  /** Its log, a parsed line each. */
  lines: Record<string, unknown>[];
  stderr: string[];
  /** The status and body of its readiness; status 0 when nobody answers. */
  ready(): Promise<{ status: number; checks: Record<string, string | null> }>;
  /** Ends it and waits until it is gone. @returns its exit code, or the signal */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string>;
  exited: Promise<number | string>;
}

/** The service as it runs in production: the built main.js with nothing but these settings. */
export async function startCleaner(settings: Record<string, string>): Promise<CleanerProcess> {
  const port = await freePort();
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { PORT: String(port), HOST: '127.0.0.1', NODE_ENV: 'production', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Record<string, unknown>[] = [];
  const stderr: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  createInterface(child.stderr).on('line', (line) => stderr.push(line));
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  return {
    lines,
    stderr,
    exited,
    ready: async () => {
      try {
        const response = await fetch(`http://127.0.0.1:${port}/health/ready`);
        const { checks } = (await response.json()) as { checks: Record<string, string | null> };
        return { status: response.status, checks };
      } catch {
        return { status: 0, checks: {} };
      }
    },
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}
