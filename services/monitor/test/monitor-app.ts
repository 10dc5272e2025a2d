import 'reflect-metadata';
import { BrokerConnection, BrokerPublisher, MaintenanceStrategy } from '@expunge/messaging';
import { Activity, frameworkLogger, type Identity, identify, Readiness, RuntimeModule } from '@expunge/runtime';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MonitorModule } from '../src/monitor.module.js';
import { silent } from './servers.js';

export interface MonitorApp {
  identity: Identity;
  get(path: string): Promise<{ status: number; body: unknown }>;
  stop(): Promise<void>;
}

/** A whole monitor in this process, put together as `runService` does it, without its signals. */
export async function startMonitor(options: {
  rabbitmq: string;
  mongodb: string;
  databasePrefix: string;
  jobRetentionMs?: number;
  /** Without it the broker is looked at by passive declares. */
  management?: string;
}): Promise<MonitorApp> {
  const identity = identify('monitor', undefined, 'test');
  const settings = {
    MONGODB_URL: options.mongodb,
    RABBITMQ_URL: options.rabbitmq,
    RABBITMQ_MANAGEMENT_URL: options.management,
    DATABASE_PREFIX: options.databasePrefix,
    FAILURE_RETENTION: 86_400_000,
    JOB_RETENTION: options.jobRetentionMs ?? 400 * 86_400_000,
  };
  const broker = new BrokerConnection({ url: options.rabbitmq, identity, log: silent });
  const publisher = new BrokerPublisher({ broker, log: silent });
  const strategy = new MaintenanceStrategy({ broker, publisher, log: silent, storeRetryForMs: 60_000 });
  const [readiness, activity] = [new Readiness(), new Activity()];

  @Module({})
  class TestModule {}
  const runtime = RuntimeModule.of({ identity, settings, log: silent, broker, publisher, readiness, activity });
  const app = await NestFactory.create(
    { module: TestModule, imports: [runtime, MonitorModule] },
    { logger: frameworkLogger(silent), abortOnError: false },
  );
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });
  broker.start();
  await app.listen(0, '127.0.0.1');
  await app.startAllMicroservices();
  const url = await app.getUrl();
  return {
    identity,
    get: async (path) => {
      const response = await fetch(`${url}${path}`);
      return { status: response.status, body: await response.json() };
    },
    stop: async () => {
      await app.close();
      await publisher.close();
      await broker.close();
    },
  };
}
