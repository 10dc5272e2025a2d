import {
  type AnyMessage,
  MAINTENANCE_EXCHANGE,
  parseMessage,
  transientQueue,
  transientQueues,
} from '@expunge/contracts';
import { attribute, counter, durations, errorTypeOf, metric, secondsSince, type Span } from '@expunge/telemetry';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { Logger } from 'pino';
import { isObservable, lastValueFrom } from 'rxjs';
import { attemptsOf } from './attempt-headers.js';
import type { BrokerConnection } from './broker-connection.adapter.js';
import type { BrokerPublisher } from './broker-publisher.adapter.js';
import type { DeliveryChannel, Subscription } from './consumer-session.adapter.js';
import type { Consumed, TransientKind } from './consumes.js';
import { DeliveryContext } from './delivery-context.js';
import { consumerTag } from './identity.js';
import { QueueConsumer } from './queue-consumer.adapter.js';
import { MAX_BODY_BYTES, type Outcome, settlementOf } from './settlement.js';
import { Settling } from './settling.adapter.js';
import { inProcessSpan, tellSettlement } from './tracing.js';

// A type: an interface has no index signature, which the base class asks for.
type Events = { connected: () => void; disconnected: () => void };

export interface MaintenanceStrategyOptions {
  broker: BrokerConnection;
  publisher: BrokerPublisher;
  log: Logger;
  /** How long a message waits for a store that is away, from its first attempt. */
  storeRetryForMs: number;
  /** How long `close()` waits for handlers; 20 s. */
  drainMs?: number;
}

const DRAIN_MS = 20_000;
const TRANSIENT_PREFETCH = 100;
/** Heartbeats that nobody read in time are of no use: the broker drops the oldest. */
const TRANSIENT_LENGTH = 10_000;

/**
 * Nest's transport over RabbitMQ. Each handler declared with `@Consumes` has its queue, its channel and its prefetch.
 * Closing drains; it closes neither the publisher nor the connection, which the handlers still need meanwhile.
 */
export class MaintenanceStrategy
  extends Server<Events, 'connected' | 'disconnected'>
  implements CustomTransportStrategy
{
  override readonly propagatesEventHandlerErrors = true;
  readonly #options: MaintenanceStrategyOptions;
  readonly #settling: Settling;
  readonly #processing = durations(metric.processDuration, 'Time a handler took for a message');
  readonly #settled = counter(metric.deliveries, 'Deliveries by what became of them', '{message}');
  #consumers: QueueConsumer[] = [];

  constructor(options: MaintenanceStrategyOptions) {
    super();
    this.#options = options;
    this.#settling = new Settling(options.broker, options.publisher, options.log);
    for (const status of ['connected', 'disconnected'] as const) {
      options.broker.on(status, () => {
        this._status$.next(status);
      });
    }
  }

  /** The queues consumed at this moment. (`status` is Nest's own.) */
  consumed(): string[] {
    return this.#consumers.filter((consumer) => consumer.consumed).map((consumer) => consumer.queue);
  }

  /** Every queue a handler was declared for, consumed now or not. */
  queues(): Pick<QueueConsumer, 'queue' | 'consumed' | 'inFlight' | 'untouchedMs'>[] {
    return this.#consumers.map(({ queue, consumed, inFlight, untouchedMs }) => ({
      queue,
      consumed,
      inFlight,
      untouchedMs,
    }));
  }

  /** Does not wait for the broker: a service is up, and says what it waits for, before its broker is. */
  listen(callback: (error?: unknown) => void): void {
    try {
      this.#consumers = [...this.messageHandlers].map(([pattern, handler]) => this.#consumerOf(pattern, handler));
      for (const consumer of this.#consumers) consumer.start();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Cancels the consumers, waits for the handlers and settles them, then closes the channels. */
  async close(): Promise<void> {
    const { drainMs = DRAIN_MS, log } = this.#options;
    const left = await Promise.all(this.#consumers.map((consumer) => consumer.drain(drainMs)));
    const unfinished = left.reduce((sum, n) => sum + n, 0);
    if (unfinished > 0) log.warn({ unfinished, drainMs }, 'handlers were not done in time; their messages come again');
  }

  on<Event extends keyof Events>(event: Event, listener: Events[Event]): void {
    this.#options.broker.on(event, listener as never);
  }

  // The base class says so.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  unwrap<T>(): T {
    return this.#options.broker as T;
  }

  #consumerOf(pattern: string, handler: MessageHandler): QueueConsumer {
    const consumed = (handler.extras as { consumes?: Consumed } | undefined)?.consumes;
    if (!consumed) throw new Error(`the handler of ${pattern} is not declared with @Consumes`);
    if (handler.next) throw new Error(`two handlers consume ${pattern}: they would share its deliveries`);
    const { broker, log } = this.#options;
    return new QueueConsumer(broker, this.#subscriptionOf(consumed, handler), log);
  }

  #subscriptionOf(consumed: Consumed, handler: MessageHandler): Subscription {
    const { identity } = this.#options.broker;
    if (!('transient' in consumed)) {
      const { name: queue, prefetch } = consumed;
      return {
        queue,
        prefetch,
        consumerTag: consumerTag(identity, queue),
        handle: (message, channel) => this.#onDelivery({ queue, retries: true, handler }, message, channel),
      };
    }
    const queue = transientQueue(consumed.transient, identity.instance);
    return {
      queue,
      prefetch: TRANSIENT_PREFETCH,
      consumerTag: consumerTag(identity, queue),
      declare: (channel) => declareTransient(channel, queue, consumed.transient),
      handle: (message, channel) => this.#onDelivery({ queue, retries: false, handler }, message, channel),
    };
  }

  async #onDelivery(
    { queue, retries, handler }: { queue: string; retries: boolean; handler: MessageHandler },
    message: ConsumeMessage,
    channel: DeliveryChannel,
  ): Promise<void> {
    const { storeRetryForMs, log } = this.#options;
    try {
      const attempts = attemptsOf(message.properties.headers, Date.now());
      const { attempt } = attempts;
      const { redelivered } = message.fields;
      const context = new DeliveryContext({ queue, attempt, redelivered });
      const told = { [attribute.messaging.destination]: queue };
      const settle = async (outcome: Outcome, span?: Span) => {
        const now = Date.now();
        const verdict = settlementOf(outcome, { ...attempts, now, storeRetryForMs, retries });
        const error = outcome.kind === 'failed' ? outcome.error : undefined;
        if (span) tellSettlement(span, verdict, error);
        // A transient queue has the name of its instance: a series for each would be left behind.
        if (retries) this.#settled.add(1, { ...told, [attribute.settlement]: verdict.settle });
        await this.#settling.settle(verdict, { queue, message, channel, attempt, about: aboutOf(message), error }, now);
      };
      const read = readMessage(message);
      if (read.kind === 'unreadable') {
        await settle(read);
        return;
      }
      const { exchange, routingKey } = message.fields;
      await inProcessSpan(read.message, { queue, exchange, routingKey, attempt }, async (span) => {
        const began = performance.now();
        const outcome = await outcomeOf(read.message, handler, context);
        const errorType = outcome.kind === 'failed' && { [attribute.errorType]: errorTypeOf(outcome.error) };
        if (retries) this.#processing.record(secondsSince(began), { ...told, ...errorType });
        await settle(outcome, span);
      });
    } catch (err) {
      // Ours, not the handler's: unsettled, it would hold its place in the prefetch until the channel ends.
      log.error({ err, queue, ...aboutOf(message) }, 'a delivery could not be settled');
      channel.reject(message, true);
    }
  }
}

type Read = { kind: 'read'; message: AnyMessage } | { kind: 'unreadable'; reason: string };

function readMessage({ content }: ConsumeMessage): Read {
  const { length } = content;
  if (length > MAX_BODY_BYTES) {
    return { kind: 'unreadable', reason: `the body has ${length} bytes, more than ${MAX_BODY_BYTES}` };
  }
  const parsed = parseMessage(content);
  return parsed.ok ? { kind: 'read', message: parsed.message } : { kind: 'unreadable', reason: parsed.reason };
}

async function outcomeOf(message: AnyMessage, handler: MessageHandler, context: DeliveryContext): Promise<Outcome> {
  try {
    const result: unknown = await handler(message, context);
    if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
    return { kind: 'done' };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

function aboutOf({ properties }: ConsumeMessage): Record<string, unknown> {
  return {
    job: properties.correlationId as unknown,
    type: properties.type as unknown,
    messageId: properties.messageId as unknown,
  };
}

async function declareTransient(channel: Channel, queue: string, kind: TransientKind): Promise<void> {
  await channel.assertQueue(queue, {
    durable: false,
    exclusive: true,
    autoDelete: true,
    arguments: { 'x-max-length': TRANSIENT_LENGTH, 'x-overflow': 'drop-head' },
  });
  for (const key of transientQueues[kind].bindings) await channel.bindQueue(queue, MAINTENANCE_EXCHANGE, key);
}
