import type { Channel, ConsumeMessage } from 'amqplib';
import type { Logger } from 'pino';
import type { BrokerConnection } from './broker-connection.adapter.js';
import { settledWithin } from './within.js';

/** One queue to consume, and how. */
export interface Subscription {
  queue: string;
  prefetch: number;
  consumerTag: string;
  /** Declares a queue that lives no longer than its connection. */
  declare?: (channel: Channel) => Promise<void>;
  /** Settles the delivery itself; never rejects. */
  handle: (message: ConsumeMessage, channel: DeliveryChannel) => Promise<void>;
}

/** The channel a delivery came by, the only one on which it can be settled. */
export interface DeliveryChannel {
  /** False: the broker delivers again what was not settled. */
  readonly open: boolean;
  ack(message: ConsumeMessage): void;
  reject(message: ConsumeMessage, requeue: boolean): void;
}

const ANSWER_WITHIN_MS = 5_000;

/** One consumer on one channel of its own, until the consumer or the channel ends. */
export class ConsumerSession implements DeliveryChannel {
  readonly #channel: Channel;
  readonly #subscription: Subscription;
  readonly #log: Logger;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #channelEnded: Promise<void>;
  #open = true;
  #end: (reason: string) => void = () => undefined;
  /** Why no more deliveries come; the channel may still be open. */
  readonly ended: Promise<string>;

  private constructor(channel: Channel, subscription: Subscription, log: Logger) {
    this.#channel = channel;
    this.#subscription = subscription;
    this.#log = log;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#channelEnded = new Promise((resolve) => {
      channel.on('close', () => {
        this.#open = false;
        this.#end('the channel was closed');
        resolve();
      });
    });
    channel.on('error', (error) => {
      this.#end(error.message);
    });
  }

  /** @throws when the broker refuses a step; the channel is then closed */
  static async start(broker: BrokerConnection, subscription: Subscription, log: Logger): Promise<ConsumerSession> {
    const channel = await broker.openChannel();
    const session = new ConsumerSession(channel, subscription, log);
    try {
      await subscription.declare?.(channel);
      await channel.prefetch(subscription.prefetch);
      const { queue, consumerTag } = subscription;
      await channel.consume(
        queue,
        (message) => {
          session.#onDelivery(message);
        },
        { consumerTag },
      );
    } catch (error) {
      await session.#closeChannel();
      throw error;
    }
    return session;
  }

  get open(): boolean {
    return this.#open;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  ack(message: ConsumeMessage): void {
    this.#settle(() => {
      this.#channel.ack(message);
    });
  }

  reject(message: ConsumeMessage, requeue: boolean): void {
    this.#settle(() => {
      this.#channel.reject(message, requeue);
    });
  }

  /** No more deliveries; those that came are still handled. */
  async cancel(): Promise<void> {
    if (!this.#open) return;
    const cancelled = this.#channel.cancel(this.#subscription.consumerTag).catch(() => undefined);
    await settledWithin(cancelled, ANSWER_WITHIN_MS);
  }

  /**
   * Waits for the handlers, then closes the channel: the broker answers that only after it has taken every ack, which
   * closing the connection would overtake.
   * @returns how many were not done in time
   */
  async finish(withinMs: number): Promise<number> {
    const until = Date.now() + withinMs;
    while (this.#inFlight.size > 0 && Date.now() < until) {
      await settledWithin(Promise.all(this.#inFlight), until - Date.now());
    }
    const left = this.#inFlight.size;
    await this.#closeChannel();
    return left;
  }

  #onDelivery(message: ConsumeMessage | null): void {
    if (message === null) {
      this.#end('the broker cancelled the consumer');
      return;
    }
    const handled: Promise<void> = this.#subscription.handle(message, this).finally(() => {
      this.#inFlight.delete(handled);
    });
    this.#inFlight.add(handled);
  }

  /** A dead channel is no failure of the handler: the broker has the message, and delivers it again. */
  #settle(settle: () => void): void {
    try {
      if (this.#open) settle();
    } catch (err) {
      this.#log.debug({ err, queue: this.#subscription.queue }, 'the channel ended before the delivery was settled');
    }
  }

  async #closeChannel(): Promise<void> {
    if (!this.#open) return;
    const closed = this.#channel.close().catch(() => undefined);
    await settledWithin(Promise.race([closed, this.#channelEnded]), ANSWER_WITHIN_MS);
  }
}
