import 'reflect-metadata';
import type { Server } from 'node:http';
import type { WorkQueue } from '@expunge/contracts';
import { BrokerConnection, BrokerPublisher, Heartbeat, MaintenanceStrategy } from '@expunge/messaging';
import type { Telemetry } from '@expunge/telemetry';
import { type BeforeApplicationShutdown, type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { Activity } from './activity.js';
import { FatalExit } from './fatal-exit.service.js';
import { HttpConnections } from './http-connections.adapter.js';
import type { Identity } from './identity.js';
import { InternalPort } from './internal-port.adapter.js';
import { createLogger, frameworkLogger } from './logger.js';
import { checkNode } from './node-version.js';
import { CheckError } from './problem.js';
import { Readiness } from './readiness.js';
import { ReadinessWatch } from './readiness-watch.service.js';
import { loadResources } from './resources.js';
import { RuntimeModule } from './runtime.module.js';
import { type CommonSettings, readSettings, readWhatIsRight } from './settings.js';

export interface ServiceDefinition<Settings extends CommonSettings> {
  settings: z.ZodType<Settings>;
  /** Ready only while each of these is consumed. */
  consumes: readonly WorkQueue[];
  module: Type;
  /** What HTTP needs beyond the default: body limits, global filters. */
  configure?(app: INestApplication, settings: Settings): void;
}

/** Of whatever receives spans, while the process ends. */
const LAST_SPANS_WITHIN_MS = 2_000;

/**
 * Runs one service until SIGTERM or SIGINT. Whatever ends it otherwise, from here on, is one line in its log and its last
 * words: so `load` imports what the service is made of, which may fail, only now.
 */
export async function runService<Settings extends CommonSettings>(
  identity: Identity,
  startedTelemetry: Promise<Telemetry>,
  load: () => Promise<ServiceDefinition<Settings>>,
): Promise<void> {
  const { RABBITMQ_URL: url, LOG_LEVEL = 'info', NODE_ENV } = readWhatIsRight(process.env);
  const log = createLogger(identity, LOG_LEVEL, NODE_ENV === 'production');
  const fatal = new FatalExit({ identity, log, url });
  process.on('uncaughtException', (error) => void fatal.end('UNCAUGHT_EXCEPTION', error));
  process.on('unhandledRejection', (reason) => void fatal.end('UNHANDLED_REJECTION', reason));
  try {
    checkNode(process.versions.node);
    const telemetry = await startedTelemetry;
    telemetry.onProblem((problem) => log.warn({ problem }, 'spans could not be exported'));
    fatal.lastSpans = () => telemetry.stop(LAST_SPANS_WITHIN_MS);
    const definition = await load();
    await start(definition, settingsOf(definition), { identity, log, fatal, telemetry });
  } catch (error) {
    await fatal.end('START_FAILED', error);
  }
}

/** @throws SettingsError */
function settingsOf<Settings extends CommonSettings>(definition: ServiceDefinition<Settings>): Settings {
  const settings: Settings & { RESOURCES_FILE?: string } = readSettings(definition.settings, process.env);
  // The module that uses it loads it for itself; an error there would be the framework's, with a stack.
  loadResources(settings.RESOURCES_FILE);
  return settings;
}

/** HTTP first, so that health can be asked while broker and stores are away; then the consumers, which attach whenever the broker answers. */
async function start<Settings extends CommonSettings>(
  definition: ServiceDefinition<Settings>,
  settings: Settings,
  { identity, log, fatal, telemetry }: { identity: Identity; log: Logger; fatal: FatalExit; telemetry: Telemetry },
): Promise<void> {
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
  registerBroker(readiness, broker, strategy, definition.consumes);

  @Module({})
  class ServiceModule implements BeforeApplicationShutdown {
    /** Nest itself closes the consumers only when the last HTTP connection has ended, which is up to its client. */
    async beforeApplicationShutdown(): Promise<void> {
      await Promise.all([strategy.close(), connections.drain(settings.DRAIN_TIMEOUT)]);
    }
  }
  let started = false;
  const app = await NestFactory.create(
    {
      module: ServiceModule,
      imports: [
        RuntimeModule.of({ identity, settings, log, broker, publisher, readiness, activity, telemetry }),
        definition.module,
      ],
    },
    // What fails at start is thrown as well, and logged where it ends.
    { logger: frameworkLogger(log, () => (started ? 'error' : 'debug')), abortOnError: false },
  );
  const connections = new HttpConnections(app.getHttpServer() as Server);
  const { HOST, PORT, INTERNAL_PORT } = settings;
  const internal = INTERNAL_PORT === undefined ? null : new InternalPort(app, INTERNAL_PORT);
  definition.configure?.(app, settings);
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });

  const watch = new ReadinessWatch(readiness, () => heartbeat.changed());
  const snapshot = () => {
    const queues = strategy.queues();
    return {
      ready: watch.ready,
      consumes: strategy.consumed(),
      ...activity.snapshot(),
      problems: watch.problems,
      inHand: Object.fromEntries(queues.map(({ queue, inFlight }) => [queue, inFlight])),
      untouchedMs: Object.fromEntries(
        queues.flatMap(({ queue, untouchedMs }) => (untouchedMs === undefined ? [] : [[queue, untouchedMs]])),
      ),
    };
  };
  const heartbeat = new Heartbeat({ broker, log, snapshot });
  fatal.running = { snapshot, silence: () => heartbeat.silence() };

  broker.start();
  heartbeat.start();
  await app.listen(PORT, HOST);
  await internal?.listen(HOST);
  await app.startAllMicroservices();
  started = true;
  watch.start();
  heartbeat.enter('running');
  log.info(
    { port: PORT, internalPort: INTERNAL_PORT, consumes: definition.consumes.map((queue) => queue.name) },
    'started',
  );

  const stop = once(async (signal: string) => {
    log.info({ signal }, 'draining');
    watch.stop();
    heartbeat.enter('draining');
    await app.close();
    await internal?.close();
    await heartbeat.stop();
    await publisher.close();
    await broker.close();
    await telemetry.stop(LAST_SPANS_WITHIN_MS);
    log.info('stopped');
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).then(
        () => process.exit(0),
        (error: unknown) => fatal.end('STOP_FAILED', error),
      );
    });
  }
}

function registerBroker(
  readiness: Readiness,
  broker: BrokerConnection,
  strategy: MaintenanceStrategy,
  consumes: readonly WorkQueue[],
): void {
  readiness.register('broker', () =>
    broker.connected
      ? Promise.resolve()
      : Promise.reject(broker.lastError ?? new CheckError('NOT_CONNECTED', 'not connected')),
  );
  readiness.register('consumers', () => {
    const consumed = strategy.consumed();
    const missing = consumes.filter((queue) => !consumed.includes(queue.name));
    if (missing.length === 0) return Promise.resolve();
    const names = missing.map((queue) => queue.name).join(', ');
    return Promise.reject(new CheckError('NOT_CONSUMING', `not consuming ${names}`));
  });
}

function once(run: (signal: string) => Promise<void>): (signal: string) => Promise<void> {
  let running: Promise<void> | undefined;
  return (signal) => (running ??= run(signal));
}
