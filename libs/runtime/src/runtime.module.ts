import { type BrokerConnection, PUBLISHER, type Publisher } from '@expunge/messaging';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { ACTIVITY, Activity } from './activity.js';
import { HealthController } from './health.controller.js';
import { IDENTITY, type Identity } from './identity.js';
import { LOGGER } from './logger.js';
import { READINESS, Readiness } from './readiness.js';
import { SETTINGS } from './settings.js';

export const BROKER = Symbol('Broker');

/** What every service is given: who it is, its settings, its log, the broker, and where to report. */
export interface Runtime {
  identity: Identity;
  settings: unknown;
  log: Logger;
  broker: BrokerConnection;
  publisher: Publisher;
  readiness: Readiness;
  activity: Activity;
}

@Module({})
export class RuntimeModule {
  static of(runtime: Runtime): DynamicModule {
    const providers = [
      { provide: IDENTITY, useValue: runtime.identity },
      { provide: SETTINGS, useValue: runtime.settings },
      { provide: LOGGER, useValue: runtime.log },
      { provide: BROKER, useValue: runtime.broker },
      { provide: PUBLISHER, useValue: runtime.publisher },
      { provide: READINESS, useValue: runtime.readiness },
      { provide: ACTIVITY, useValue: runtime.activity },
    ];
    return { module: RuntimeModule, global: true, controllers: [HealthController], providers, exports: providers };
  }
}
