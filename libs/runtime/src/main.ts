import type { ServiceName } from '@expunge/contracts';
import { startTelemetry } from '@expunge/telemetry';
import { identify, VERSION } from './identity.js';
import type { ServiceDefinition } from './run-service.js';
import { type CommonSettings, readWhatIsRight } from './settings.js';

/**
 * The entry of a service, and all that its first file may import: what is traced must be loaded after the tracing.
 * `load` imports what the service is made of, which may fail.
 */
export async function main<Settings extends CommonSettings>(
  service: ServiceName,
  load: () => Promise<ServiceDefinition<Settings>>,
): Promise<void> {
  const { INSTANCE } = readWhatIsRight(process.env);
  const identity = identify(service, INSTANCE, VERSION);
  const telemetry = startTelemetry({ ...identity, env: process.env });
  await telemetry.catch(() => undefined);
  const { runService } = await import('./run-service.js');
  await runService(identity, telemetry, load);
}
