import { type BrokerConnection, PUBLISHER, type Publisher } from '@expunge/messaging';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { Telemetry } from '@expunge/telemetry';
import type { Logger } from 'pino';
import { ACTIVITY, Activity } from './activity.js';
import { HealthController } from './health.controller.js';
import { IDENTITY, type Identity } from './identity.js';
import { LOGGER } from './logger.js';
import { MetricsController, TELEMETRY } from './metrics.controller.js';
import { READINESS, Readiness } from './readiness.js';
import { RouteName } from './route-name.interceptor.js';
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
  /** Without it there are no metrics to be asked for. */
  telemetry?: Pick<Telemetry, 'answerMetrics'>;
}

@Module({})
export class RuntimeModule {
  static of(runtime: Runtime): DynamicModule {
    const controllers = [HealthController, ...(runtime.telemetry ? [MetricsController] : [])];
    const providers = [
      { provide: IDENTITY, useValue: runtime.identity },
      { provide: SETTINGS, useValue: runtime.settings },
      { provide: LOGGER, useValue: runtime.log },
      { provide: BROKER, useValue: runtime.broker },
      { provide: PUBLISHER, useValue: runtime.publisher },
      { provide: READINESS, useValue: runtime.readiness },
      { provide: ACTIVITY, useValue: runtime.activity },
      { provide: TELEMETRY, useValue: runtime.telemetry },
    ];
    return {
      module: RuntimeModule,
      global: true,
      controllers,
      providers: [...providers, { provide: APP_INTERCEPTOR, useClass: RouteName }],
      exports: providers,
    };
  }
}
