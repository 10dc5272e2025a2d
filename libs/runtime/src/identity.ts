import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ServiceName } from '@expunge/contracts';

/** Who this process is, in heartbeats, connection names, consumer tags, events and logs. */
export interface Identity {
  service: ServiceName;
  /** Unique while it lives: INSTANCE, or made up anew at each start. */
  instance: string;
  host: string;
  version: string;
  startedAt: string;
}

export const IDENTITY = Symbol('Identity');

export function identify(service: ServiceName, instance: string | undefined, version: string): Identity {
  return {
    service,
    instance: instance ?? `${service}-${randomUUID().slice(0, 8)}`,
    host: hostname(),
    version,
    startedAt: new Date().toISOString(),
  };
}
