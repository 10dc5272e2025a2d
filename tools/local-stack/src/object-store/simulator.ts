import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { Miniflare } from 'miniflare';
import type { HostOptions } from './host-options.js';

/**
 * Runs Cloudflare's R2 simulator as a child of this process, which ends with it, and at SIGTERM. One a process.
 *
 * @returns the pid of the simulator, once it answers
 */
export async function runSimulator(options: HostOptions): Promise<number | undefined> {
  let workerd: ChildProcess | undefined;
  // The simulator is a process of its own; without it we are nothing, and whoever started us starts both again.
  subscribe('child_process', (message) => {
    workerd = (message as { process: ChildProcess }).process;
    workerd.once('exit', (code, signal) => {
      process.stderr.write(`workerd ended: ${signal ?? `exit code ${code ?? 0}`}\n`);
      process.exit(1);
    });
  });
  const buckets = options.buckets.map((id) => [id, { id, s3Credentials: options.credentials }] as const);
  const miniflare = new Miniflare({
    host: options.host ?? '127.0.0.1',
    port: options.port,
    // It answers under names it knows only.
    routes: (options.names ?? []).map((name) => `${name}/*`),
    modules: true,
    script: 'export default { fetch: () => new Response(null, { status: 404 }) }',
    r2Buckets: Object.fromEntries(buckets),
    r2Persist: options.folder,
  });
  process.on('SIGTERM', () => process.exit(0));
  await miniflare.ready;
  return workerd?.pid;
}
