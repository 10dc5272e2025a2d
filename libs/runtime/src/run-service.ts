import 'reflect-metadata';
import type { Server } from 'node:http';
import type { ServiceName, WorkQueue } from '@expunge/contracts';
import { BrokerConnection, BrokerPublisher, Heartbeat, MaintenanceStrategy } from '@expunge/messaging';
import { type BeforeApplicationShutdown, type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { Activity } from './activity.js';
import { HttpConnections } from './http-connections.adapter.js';
import { type Identity, identify } from './identity.js';
import { createLogger, frameworkLogger } from './logger.js';
import { checkNode } from './node-version.js';
import { Readiness } from './readiness.js';
import { loadResources } from './resources.js';
import { RuntimeModule } from './runtime.module.js';
import { type CommonSettings, readSettings, SettingsError } from './settings.js';

export interface ServiceDefinition<Settings extends CommonSettings> {
  service: ServiceName;
  settings: z.ZodType<Settings>;
  /** Ready only while each of these is consumed. */
  consumes: readonly WorkQueue[];
  module: Type;
  /** What HTTP needs beyond the default: body limits, global filters. */
  configure?(app: INestApplication, settings: Settings): void;
}

export const VERSION = '0.1.0';

/**
 * Runs one service until SIGTERM or SIGINT: HTTP first, so that health can be asked while broker and stores are away;
 * then the consumers, which attach whenever the broker answers.
 */
export async function runService<Settings extends CommonSettings>(
  definition: ServiceDefinition<Settings>,
): Promise<void> {
  const { settings, identity, log } = begin(definition);
  const broker = new BrokerConnection({ url: settings.RABBITMQ_URL, identity, log });
  const publisher = new BrokerPublisher({ broker, log });
  const readiness = new Readiness();
  const activity = new Activity();
  const strategy = new MaintenanceStrategy({
    broker,
    publisher,
    log,
    storeRetryForMs: settings.STORE_RETRY_FOR,
    drainMs: settings.DRAIN_TIMEOUT,
  });
  readiness.register('broker', () =>
    broker.connected ? Promise.resolve() : Promise.reject(broker.lastError ?? new Error('not connected')),
  );
  readiness.register('consumers', () => {
    const consumed = strategy.consumed();
    const missing = definition.consumes.filter((queue) => !consumed.includes(queue.name));
    if (missing.length === 0) return Promise.resolve();
    return Promise.reject(new Error(`not consuming ${missing.map((queue) => queue.name).join(', ')}`));
  });

  @Module({})
  class ServiceModule implements BeforeApplicationShutdown {
    /** Nest itself closes the consumers only when the last HTTP connection has ended, which is up to its client. */
    async beforeApplicationShutdown(): Promise<void> {
      await Promise.all([strategy.close(), connections.drain(settings.DRAIN_TIMEOUT)]);
    }
  }
  const app = await NestFactory.create(
    {
      module: ServiceModule,
      imports: [
        RuntimeModule.of({ identity, settings, log, broker, publisher, readiness, activity }),
        definition.module,
      ],
    },
    { logger: frameworkLogger(log), abortOnError: false },
  );
  const connections = new HttpConnections(app.getHttpServer() as Server);
  definition.configure?.(app, settings);
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });

  let ready = false;
  const heartbeat = new Heartbeat({
    broker,
    log,
    snapshot: () => ({ ready, consumes: strategy.consumed(), ...activity.snapshot() }),
  });
  const watch = setInterval(() => void readiness.report().then((report) => (ready = report.ready)), 1000);

  broker.start();
  heartbeat.start();
  await app.listen(settings.PORT, settings.HOST);
  await app.startAllMicroservices();
  heartbeat.enter('running');
  log.info({ port: settings.PORT, consumes: definition.consumes.map((queue) => queue.name) }, 'started');

  const stop = once(async (signal: string) => {
    log.info({ signal }, 'draining');
    heartbeat.enter('draining');
    await app.close();
    await heartbeat.stop();
    clearInterval(watch);
    await publisher.close();
    await broker.close();
    log.info('stopped');
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).then(
        () => process.exit(0),
        (error: unknown) => {
          log.fatal({ err: error }, 'could not stop in order');
          process.exit(1);
        },
      );
    });
  }
}

function begin<Settings extends CommonSettings>(
  definition: ServiceDefinition<Settings>,
): { settings: Settings; identity: Identity; log: Logger } {
  try {
    checkNode(process.versions.node);
    const settings: Settings & { RESOURCES_FILE?: string } = readSettings(definition.settings, process.env);
    // The module that uses it loads it for itself; an error there would be the framework's, with a stack.
    loadResources(settings.RESOURCES_FILE);
    const identity = identify(definition.service, settings.INSTANCE, VERSION);
    const log = createLogger(identity, settings.LOG_LEVEL, settings.NODE_ENV === 'production');
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(event, (error: unknown) => {
        log.fatal({ err: error }, event);
        process.exit(1);
      });
    }
    return { settings, identity, log };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${definition.service} cannot start:\n${error.message}\n`);
    process.exit(78);
  }
}

function once(run: (signal: string) => Promise<void>): (signal: string) => Promise<void> {
  let running: Promise<void> | undefined;
  return (signal) => (running ??= run(signal));
}
