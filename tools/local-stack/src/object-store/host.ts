import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { Miniflare } from 'miniflare';
import type { HostOptions } from './host-options.js';

// Started by start-object-store.ts: node host.js <options as JSON>.
const options = JSON.parse(process.argv[2] ?? '{}') as HostOptions;
let workerd: ChildProcess | undefined;

process.on('disconnect', () => process.exit(0));
// The simulator is a process of its own; without it we are nothing, and start-object-store.ts starts both again.
subscribe('child_process', (message) => {
  workerd = (message as { process: ChildProcess }).process;
  workerd.once('exit', (code, signal) => {
    process.stderr.write(`workerd ended: ${signal ?? `exit code ${code ?? 0}`}\n`);
    process.exit(1);
  });
});

const buckets = options.buckets.map((id) => [id, { id, s3Credentials: options.credentials }] as const);
const miniflare = new Miniflare({
  host: '127.0.0.1',
  port: options.port,
  modules: true,
  script: 'export default { fetch: () => new Response(null, { status: 404 }) }',
  r2Buckets: Object.fromEntries(buckets),
  r2Persist: options.folder,
});
await miniflare.ready;
process.on('SIGTERM', () => process.exit(0));
process.send?.({ ready: workerd?.pid });
