import { EventEmitter } from 'node:events';
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import type { Logger } from 'pino';
import { type AmqpLink, openLink } from './amqp-link.adapter.js';
import { backoff } from './backoff.js';
import { Condition } from './condition.js';
import { TransientError } from './errors.js';
import type { Identity } from './identity.js';
import { BrokerUnavailableError } from './publish-errors.js';
import { declareTopology } from './topology.adapter.js';
import { pause, settledWithin } from './within.js';

export interface BrokerConnectionOptions {
  url: string;
  identity: Identity;
  log: Logger;
  /** Seconds; 5 unless the URL has a `heartbeat` parameter. */
  heartbeat?: number;
}

export interface BrokerEvents {
  connected: [];
  disconnected: [];
  blocked: [reason: string];
  unblocked: [];
}

const HEARTBEAT_SECONDS = 5;
/** A connection that lived this long was a good one: the next failure is the first again. */
const GOOD_AFTER_MS = 5_000;
const CLOSE_WITHIN_MS = 5_000;

/** The process's one connection: comes back by itself for ever, with the topology asserted each time. */
export class BrokerConnection extends EventEmitter<BrokerEvents> {
  readonly identity: Identity;
  readonly #options: BrokerConnectionOptions;
  readonly #closing = new AbortController();
  readonly #isConnected = new Condition(() => this.connected);
  readonly #isWritable = new Condition(() => this.connected && this.#blocked === null);
  #running: Promise<void> | undefined;
  #link: AmqpLink | undefined;
  #ready = false;
  #blocked: string | null = null;
  #lastError: Error | null = null;
  #asserting: Promise<void> | undefined;

  constructor(options: BrokerConnectionOptions) {
    super();
    this.setMaxListeners(100);
    this.identity = options.identity;
    this.#options = options;
  }

  /** Connected, and the topology was asserted (see `lastError` for what of it was refused). */
  get connected(): boolean {
    return this.#ready;
  }

  /** Why the broker takes no publishes (an alarm of memory or disk), or null. */
  get blocked(): string | null {
    return this.#blocked;
  }

  /** The last thing that went wrong; null again once a connection stands with its whole topology. */
  get lastError(): Error | null {
    return this.#lastError;
  }

  /** Returns at once. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** False when there was no connection within that time. */
  whenConnected(withinMs: number, signal?: AbortSignal): Promise<boolean> {
    return this.#isConnected.wait(withinMs, signal);
  }

  /** Connected, and the broker reads what it is sent. */
  whenWritable(withinMs: number): Promise<boolean> {
    return this.#isWritable.wait(withinMs);
  }

  /** @throws BrokerUnavailableError */
  openChannel(): Promise<Channel> {
    return this.#open((model) => model.createChannel());
  }

  /** @throws BrokerUnavailableError */
  openConfirmChannel(): Promise<ConfirmChannel> {
    return this.#open((model) => model.createConfirmChannel());
  }

  /** @throws TopologyError naming what was refused, BrokerUnavailableError */
  assertTopology(): Promise<void> {
    this.#asserting ??= declareTopology(() => this.openChannel()).finally(() => {
      this.#asserting = undefined;
    });
    return this.#asserting;
  }

  /**
   * Messages ready in a queue.
   * @throws TransientError BROKER_QUEUE_MISSING, BROKER_UNAVAILABLE
   */
  async queueDepth(queue: string): Promise<number> {
    const channel = await this.openChannel();
    try {
      return (await channel.checkQueue(queue)).messageCount;
    } catch (error) {
      throw new TransientError('BROKER_QUEUE_MISSING', `cannot look into queue ${queue}`, { cause: error });
    } finally {
      await channel.close().catch(() => undefined);
    }
  }

  /** Close channels first: this overtakes what they still have to send. */
  async close(): Promise<void> {
    this.#closing.abort();
    const link = this.#link;
    if (link) {
      // Without an answer (frozen broker) amqplib's promise never settles.
      const closed = link.model.close().catch(() => undefined);
      if (!(await settledWithin(Promise.race([closed, link.ended]), CLOSE_WITHIN_MS))) link.destroy();
    }
    if (this.#running) await settledWithin(this.#running, CLOSE_WITHIN_MS);
  }

  // A method, because the compiler takes a property for unchanged across an await.
  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted;) {
      const since = Date.now();
      const error = await this.#connectOnce();
      if (this.#isClosing()) return;
      failures = Date.now() - since >= GOOD_AFTER_MS ? 1 : failures + 1;
      const delayMs = backoff(failures, Math.random());
      this.#options.log.warn({ err: error, delayMs, failures }, 'no connection to the broker');
      await pause(delayMs, signal);
    }
  }

  /** @returns why the connection could not be made, or why it ended */
  async #connectOnce(): Promise<Error> {
    try {
      const { url, identity, heartbeat = HEARTBEAT_SECONDS } = this.#options;
      const link = await openLink(url, identity, heartbeat);
      this.#link = link;
      if (this.#isClosing()) link.destroy();
      this.#watchBlocked(link.model);
      await this.#live(link);
      this.#lastError = await link.ended;
    } catch (error) {
      this.#lastError = error instanceof Error ? error : new Error(String(error));
      this.#link?.destroy();
    } finally {
      this.#link = undefined;
      this.#blocked = null;
      if (this.#ready) {
        this.#ready = false;
        this.emit('disconnected');
      }
    }
    return this.#lastError;
  }

  async #live(link: AmqpLink): Promise<void> {
    const whole = await this.#assertOrSay(null);
    if (this.#link !== link) return;
    this.#ready = true;
    this.#options.log.info({ whole }, 'connected to the broker');
    this.#isConnected.changed();
    this.#isWritable.changed();
    this.emit('connected');
    if (!whole) void this.#mend(link);
  }

  /** What was refused is tried again until it is there: somebody may delete the queue that was in the way. */
  async #mend(link: AmqpLink): Promise<void> {
    const gone = new AbortController();
    void link.ended.then(() => {
      gone.abort();
    });
    let whole = false;
    for (let failures = 1; !whole; failures++) {
      await pause(backoff(failures, Math.random()), gone.signal);
      if (gone.signal.aborted) return;
      whole = await this.#assertOrSay(this.#lastError).catch(() => false);
    }
  }

  async #assertOrSay(said: Error | null): Promise<boolean> {
    try {
      await this.assertTopology();
      this.#lastError = null;
      return true;
    } catch (error) {
      if (error instanceof BrokerUnavailableError) throw error;
      this.#lastError = error as Error;
      if (said?.message !== this.#lastError.message) {
        this.#options.log.error({ err: error }, 'the topology is not as declared');
      }
      return false;
    }
  }

  #watchBlocked(model: ChannelModel): void {
    model.on('blocked', (reason) => {
      this.#blocked = reason;
      this.#options.log.warn({ reason }, 'the broker takes no publishes');
      this.emit('blocked', reason);
    });
    model.on('unblocked', () => {
      this.#blocked = null;
      this.#options.log.info('the broker takes publishes again');
      this.#isWritable.changed();
      this.emit('unblocked');
    });
  }

  async #open<C extends Channel>(create: (model: ChannelModel) => Promise<C>): Promise<C> {
    const model = this.#link?.model;
    if (!model) throw new BrokerUnavailableError('not connected to the broker', { cause: this.#lastError });
    let channel: C;
    try {
      channel = await create(model);
    } catch (error) {
      throw new BrokerUnavailableError('the broker gave no channel', { cause: error });
    }
    // Who uses the channel is told by its 'close'; without a listener an 'error' ends the process, and a second
    // basic.cancel for one consumer (RabbitMQ 4.3, a delivery timed out) the connection.
    channel.on('error', (err) => {
      this.#options.log.debug({ err }, 'a channel was closed by the broker');
    });
    channel.on('handler-error', (err) => {
      this.#options.log.debug({ err }, 'a frame nobody waited for');
    });
    return channel;
  }
}
