import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ServiceName } from '@expunge/contracts';
import type { Identity } from '@expunge/messaging';

export type { Identity };

export const IDENTITY = Symbol('Identity');

export const VERSION = '0.1.0';

/** `instance` is unique while it lives: INSTANCE, or made up anew at each start. */
export function identify(service: ServiceName, instance: string | undefined, version: string): Identity {
  return {
    service,
    instance: instance ?? `${service}-${randomUUID().slice(0, 8)}`,
    host: hostname(),
    version,
    startedAt: new Date(),
  };
}
