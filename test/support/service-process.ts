import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ServiceName } from '@expunge/contracts';

export interface ServiceProcess {
  /** Its log, a parsed line each; what is no JSON makes the test fail. */
  readonly lines: { level: string; msg: string; err?: { message: string } }[];
  readonly stderr: string[];
  /** Its exit code, or the signal it died of. */
  readonly exited: Promise<number | string>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

export const builtMain = (service: ServiceName): string =>
  fileURLToPath(new URL(`../../services/${service}/dist/main.js`, import.meta.url));

/** A service as it runs in production, with nothing but these settings. `node`: options before the script. */
export function startProcess(main: string, settings: Record<string, string>, node: string[] = []): ServiceProcess {
  const child = spawn(process.execPath, [...node, main], {
    env: { NODE_ENV: 'production', PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: ServiceProcess['lines'] = [];
  const stderr: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line) as (typeof lines)[number]));
  createInterface(child.stderr).on('line', (line) => stderr.push(line));
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  return { lines, stderr, exited, kill: (signal) => void child.kill(signal) };
}
