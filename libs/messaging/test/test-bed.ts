import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import type { AnyMessage } from '@expunge/contracts';
import { Management } from '@expunge/local-stack';
import { Controller, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import { type Channel, type ChannelModel, type ConfirmChannel, connect, type GetMessage, type Options } from 'amqplib';
import { type Logger, pino } from 'pino';
import {
  BrokerConnection,
  BrokerPublisher,
  type Consumed,
  Consumes,
  type Delivery,
  type Identity,
  MaintenanceStrategy,
} from '../src/index.js';
import { FaultyWire } from './faulty-wire.js';
import { until } from './until.js';

export interface ServiceUnderTest {
  broker: BrokerConnection;
  publisher: BrokerPublisher;
  strategy: MaintenanceStrategy;
  /** Channels this service has opened, oldest first. */
  channels: Channel[];
  wire: FaultyWire;
  logger: Logger;
  /** What `logger` has written. */
  log: LogLine[];
  close(): Promise<void>;
}

export type LogLine = Record<string, unknown> & { level: number; msg: string };
export type Handle = (message: AnyMessage, delivery: Delivery) => unknown;

export interface ServiceOptions {
  instance?: string;
  drainMs?: number;
  storeRetryForMs?: number;
  window?: number;
  confirmTimeoutMs?: number;
  heartbeat?: number;
}

/** A vhost of its own, services on it as they are made in production, and a plain connection to look at it. */
export class TestBed {
  readonly #services: ServiceUnderTest[] = [];
  readonly #unhandled: unknown[] = [];
  readonly #onUnhandled = (reason: unknown) => void this.#unhandled.push(reason);

  private constructor(
    readonly url: string,
    readonly vhost: string,
    readonly admin: ChannelModel,
  ) {
    // Without a listener an 'error' ends the process.
    admin.on('error', () => undefined);
    process.on('unhandledRejection', this.#onUnhandled);
  }

  static async open(): Promise<TestBed> {
    const vhost = `messaging-${randomBytes(6).toString('hex')}`;
    const url = new URL(given('EXPUNGE_TEST_RABBITMQ_URL'));
    await management('PUT', `/api/vhosts/${vhost}`, {});
    const everything = { configure: '.*', write: '.*', read: '.*' };
    await management('PUT', `/api/permissions/${vhost}/${url.username}`, everything);
    url.pathname = `/${vhost}`;
    return new TestBed(url.href, vhost, await connect(url.href));
  }

  /** @throws when anything was rejected meanwhile without anybody to hear it */
  async close(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.close()));
    await this.admin.close();
    await management('DELETE', `/api/vhosts/${this.vhost}`);
    process.off('unhandledRejection', this.#onUnhandled);
    if (this.#unhandled.length > 0) throw new AggregateError(this.#unhandled, 'unhandled rejections');
  }

  /** A hybrid application with one controller a queue, listening. */
  async start(consumers: [Consumed, Handle][], options: ServiceOptions = {}): Promise<ServiceUnderTest> {
    const service = await this.#prepare(options);
    const { strategy, broker } = service;
    @Module({ controllers: consumers.map(([queue, handle]) => controllerOf(queue, handle)) })
    class ServiceModule {}
    const app = await NestFactory.create(ServiceModule, { logger: false, abortOnError: false });
    app.connectMicroservice({ strategy }, { inheritAppConfig: true });
    broker.start();
    await app.startAllMicroservices();
    const closed = service.close.bind(service);
    service.close = once(async () => {
      await app.close();
      await closed();
    });
    await until('every queue is consumed', () => strategy.consumed().length === consumers.length, 20_000);
    return service;
  }

  /** Connection and publisher alone. */
  async connect(options: ServiceOptions = {}): Promise<ServiceUnderTest> {
    const service = await this.#prepare(options);
    service.broker.start();
    if (!(await service.broker.whenConnected(20_000))) throw new Error('not connected');
    return service;
  }

  async #prepare(options: ServiceOptions): Promise<ServiceUnderTest> {
    const {
      instance = `i-${randomBytes(4).toString('hex')}`,
      storeRetryForMs = 86_400_000,
      drainMs = 10_000,
    } = options;
    const { window, confirmTimeoutMs, heartbeat } = options;
    const wire = await FaultyWire.before(this.url);
    const lines: LogLine[] = [];
    const log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line) as LogLine) });
    const identity: Identity = { service: 'tested', instance, host: 'here', version: '1.2.3', startedAt: new Date(0) };
    const channels: Channel[] = [];
    const broker = new ObservedConnection({ url: wire.through(this.url), identity, log, heartbeat }, channels);
    const publisher = new BrokerPublisher({ broker, log, window, confirmTimeoutMs });
    const strategy = new MaintenanceStrategy({ broker, publisher, log, storeRetryForMs, drainMs });
    const close = once(async () => {
      await publisher.close();
      await broker.close();
      await wire.close();
    });
    const service = { broker, publisher, strategy, channels, wire, logger: log, log: lines, close };
    this.#services.push(service);
    return service;
  }

  /** Of this vhost's queues. */
  policy(pattern: string, definition: Record<string, unknown>): Promise<void> {
    return management('PUT', `/api/policies/${this.vhost}/tested`, { pattern, definition, 'apply-to': 'queues' });
  }

  /** On a channel of its own: what is refused closes no other. */
  async do<T>(action: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
    const channel = await this.admin.createConfirmChannel();
    channel.on('error', () => undefined);
    try {
      return await action(channel);
    } finally {
      await channel.close().catch(() => undefined);
    }
  }

  async put(queue: string, body: string | Buffer, properties: Options.Publish = {}): Promise<void> {
    await this.do((channel) => {
      channel.sendToQueue(queue, Buffer.from(body), { persistent: true, ...properties });
      return channel.waitForConfirms();
    });
  }

  /** The next message of a queue, taken out of it; the queue may not be there yet. */
  take(queue: string, withinMs = 10_000): Promise<GetMessage> {
    const get = () => this.do((channel) => channel.get(queue, { noAck: true })).catch(() => null);
    return until(`a message in ${queue}`, get, withinMs);
  }

  async depth(queue: string): Promise<number> {
    return (await this.do((channel) => channel.checkQueue(queue))).messageCount;
  }

  async purge(...queues: string[]): Promise<void> {
    for (const queue of queues) await this.do((channel) => channel.purgeQueue(queue));
  }
}

/** Lets a test make a channel fail, which nobody outside the process can. */
class ObservedConnection extends BrokerConnection {
  constructor(
    options: ConstructorParameters<typeof BrokerConnection>[0],
    readonly opened: Channel[],
  ) {
    super(options);
  }

  override async openChannel(): Promise<Channel> {
    const channel = await super.openChannel();
    this.opened.push(channel);
    return channel;
  }
}

/** The broker closes a channel that acknowledges what was never delivered on it. */
export function breakChannel(channel: Channel): void {
  channel.ack({ fields: { deliveryTag: 999_999 } } as GetMessage);
}

export function controllerOf(queue: Consumed, handle: Handle): Type {
  @Controller()
  class QueueController {
    @Consumes(queue)
    on(@Payload() message: AnyMessage, @Ctx() delivery: Delivery): unknown {
      return handle(message, delivery);
    }
  }
  return QueueController;
}

async function management(method: string, path: string, body?: unknown): Promise<void> {
  await new Management(given('EXPUNGE_TEST_RABBITMQ_MANAGEMENT_URL')).call(method, path, body);
}

function given(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run it as an integration test`);
  return value;
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= run());
}
