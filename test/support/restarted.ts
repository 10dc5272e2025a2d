import { type ServiceName, until } from '@expunge/local-stack';
import type { System } from './system.js';

const BACK_WITHIN_MS = 60_000;

/** Ends each instance of a service in turn by SIGTERM; whoever keeps it running starts it again, as it is built by then. */
export async function restarted(system: System, name: ServiceName): Promise<void> {
  for (const { url, process } of system.services.of(name)) {
    const { pid } = process;
    process.kill('SIGTERM');
    const isReady = () =>
      fetch(`${url}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(`${process.name} is back`, async () => process.pid !== pid && (await isReady()), BACK_WITHIN_MS);
  }
}
