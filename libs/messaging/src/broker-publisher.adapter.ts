import {
  definitionOf,
  MAINTENANCE_EXCHANGE,
  MESSAGE_CONTENT_TYPE,
  type Message,
  retryQueue,
  type RetryTier,
} from '@expunge/contracts';
import { type Attributes, attribute, durations, errorTypeOf, metric, secondsSince } from '@expunge/telemetry';
import type { Options } from 'amqplib';
import type { Logger } from 'pino';
import { headerNames } from './attempt-headers.js';
import type { BrokerConnection } from './broker-connection.adapter.js';
import { Condition } from './condition.js';
import { ConfirmLink, type Outgoing } from './confirm-link.adapter.js';
import { ValidationError } from './errors.js';
import { BrokerUnavailableError } from './publish-errors.js';
import type { Publisher } from './publisher.js';
import { MAX_BODY_BYTES } from './settlement.js';
import { inPublishSpan } from './tracing.js';
import { Window } from './window.js';

export interface BrokerPublisherOptions {
  broker: BrokerConnection;
  log: Logger;
  /** Messages on their way at most; 256. */
  window?: number;
  /** After which a publish without an answer is OutcomeUnknownError; also how long one waits for a place. 10 s. */
  confirmTimeoutMs?: number;
}

const WINDOW = 256;
/** A window of the largest batches would be 256 MB. */
const WINDOW_BYTES = 32 * 1024 * 1024;
const CONFIRM_TIMEOUT_MS = 10_000;
const CONNECTION_WITHIN_MS = 2_000;

/** Publishes with confirms over one channel, which comes back with the connection. */
export class BrokerPublisher implements Publisher {
  readonly #broker: BrokerConnection;
  readonly #log: Logger;
  readonly #window: Window;
  readonly #slots: number;
  readonly #confirmTimeoutMs: number;
  readonly #publishing = durations(metric.sendDuration, 'Time until the broker confirmed a message');
  #link: ConfirmLink | undefined;
  #opening: Promise<ConfirmLink> | undefined;
  #closed = false;
  #puts = 0;
  readonly #isIdle = new Condition(() => this.#puts === 0);

  constructor(options: BrokerPublisherOptions) {
    this.#broker = options.broker;
    this.#log = options.log;
    this.#slots = options.window ?? WINDOW;
    this.#window = new Window(this.#slots, WINDOW_BYTES);
    this.#confirmTimeoutMs = options.confirmTimeoutMs ?? CONFIRM_TIMEOUT_MS;
  }

  /** Messages whose outcome is not known yet. */
  get onTheWay(): number {
    return this.#window.used;
  }

  async publish(message: Message): Promise<void> {
    const routingKey = definitionOf(message)?.routingKey;
    if (routingKey === undefined) throw new ValidationError(`no message ${message.type} of ${message.dataschema}`);
    if (routingKey === null) throw new ValidationError(`${message.type} has no routing key: send it to its queue`);
    await this.#publishTraced(message, { exchange: MAINTENANCE_EXCHANGE, routingKey }, 1);
  }

  async send(queue: string, message: Message, options: { attempt?: number; tier?: RetryTier } = {}): Promise<void> {
    const routingKey = options.tier === undefined ? queue : retryQueue(queue, options.tier);
    await this.#publishTraced(message, { exchange: '', routingKey }, options.attempt ?? 1);
  }

  #publishTraced(message: Message, to: { exchange: string; routingKey: string }, attempt: number): Promise<void> {
    return inPublishSpan(message, to, async (traced) => {
      const began = performance.now();
      const destination = to.exchange === '' ? to.routingKey : to.exchange;
      const told: Attributes = {
        [attribute.messaging.destination]: destination,
        [attribute.messaging.operationName]: 'publish',
      };
      try {
        await this.put(outgoing(to.exchange, to.routingKey, traced, attempt));
      } catch (error) {
        told[attribute.errorType] = errorTypeOf(error);
        throw error;
      } finally {
        this.#publishing.record(secondsSince(began), told);
      }
    });
  }

  /** Any bytes, with the properties as they are given; otherwise as `publish`. */
  async put(message: Outgoing): Promise<void> {
    if (this.#closed) throw new BrokerUnavailableError('the publisher is closed');
    this.#puts += 1;
    try {
      await this.#putInTurn(message);
    } finally {
      this.#puts -= 1;
      this.#isIdle.changed();
    }
  }

  /** What was given to it is published first; call before the connection closes. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#isIdle.wait(this.#confirmTimeoutMs);
    await this.#link?.close();
  }

  async #putInTurn(message: Outgoing): Promise<void> {
    const leave = await this.#window.enter(message.content.length, this.#confirmTimeoutMs);
    if (!leave) {
      throw new BrokerUnavailableError(`${this.#slots} messages wait for their confirms, none came in time`);
    }
    let link: ConfirmLink;
    try {
      link = await this.#writableLink();
    } catch (error) {
      leave();
      throw error;
    }
    try {
      await link.publish(message, this.#confirmTimeoutMs, leave);
    } finally {
      this.#giveUpIfStuck(link);
    }
  }

  async #writableLink(): Promise<ConfirmLink> {
    if (!(await this.#broker.whenWritable(CONNECTION_WITHIN_MS))) {
      const why = this.#broker.blocked === null ? 'not connected' : `blocked: ${this.#broker.blocked}`;
      throw new BrokerUnavailableError(`the broker takes no messages (${why})`, { cause: this.#broker.lastError });
    }
    const link = this.#link?.open ? this.#link : await this.#openLink();
    if (!(await link.writable(this.#confirmTimeoutMs))) {
      throw new BrokerUnavailableError('the connection to the broker takes no more messages');
    }
    return link;
  }

  #openLink(): Promise<ConfirmLink> {
    this.#opening ??= this.#broker
      .openConfirmChannel()
      .then((channel) => {
        channel.on('error', (error: Error & { code?: number }) => {
          this.#onChannelError(error);
        });
        return (this.#link = new ConfirmLink(channel));
      })
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }

  /** 404: the exchange is gone. Its being declared again is what the next publish needs. */
  #onChannelError(error: Error & { code?: number }): void {
    this.#log.warn({ err: error }, 'the broker closed the channel of the publisher');
    if (error.code === 404) this.#broker.assertTopology().catch(() => undefined);
  }

  /** Places of messages that are never answered would be lost until the connection ends. */
  #giveUpIfStuck(link: ConfirmLink): void {
    const { messages, bytes } = link.late;
    if (link !== this.#link || (messages * 2 < this.#slots && bytes * 2 < WINDOW_BYTES)) return;
    this.#link = undefined;
    this.#log.warn({ late: messages, bytes }, 'the broker answers publishes no more: taking a new channel');
    void link.close();
  }
}

function outgoing(exchange: string, routingKey: string, message: Message, attempt: number): Outgoing {
  const properties: Options.Publish = {
    persistent: true,
    mandatory: true,
    messageId: message.id,
    type: message.type,
    correlationId: message.subject,
    timestamp: Math.floor(Date.parse(message.time) / 1000),
    contentType: MESSAGE_CONTENT_TYPE,
    headers: { [headerNames.attempt]: attempt },
  };
  const content = Buffer.from(JSON.stringify(message));
  if (content.length > MAX_BODY_BYTES) {
    throw new ValidationError(`${message.type} ${message.id} has ${content.length} bytes: its consumer would park it`);
  }
  return { exchange, routingKey, content, properties };
}
