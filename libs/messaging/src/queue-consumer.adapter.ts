import type { Logger } from 'pino';
import { backoff } from './backoff.js';
import type { BrokerConnection } from './broker-connection.adapter.js';
import { Condition } from './condition.js';
import { ConsumerSession, type Subscription } from './consumer-session.adapter.js';
import { pause } from './within.js';

/** A session that lived this long was a good one: the next failure is the first again. */
const GOOD_AFTER_MS = 5_000;
/** How long a channel whose consumer is gone is kept for the handlers of its deliveries. */
const RETIRE_WITHIN_MS = 60_000;
/** A transient queue's bindings go with the exchange, and no other connection may make them again. */
const DECLARE_EVERY_MS = 5_000;
const LONG_MS = 3_600_000;

/** Consumes one queue until told to stop, over as many channels and connections as that takes. */
export class QueueConsumer {
  readonly #broker: BrokerConnection;
  readonly #subscription: Subscription;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  readonly #retired = new Set<ConsumerSession>();
  #session: ConsumerSession | undefined;
  #running: Promise<void> | undefined;
  #inFlight = 0;
  #touchedAt: number | undefined;
  /** Handlers of ended sessions go on while the broker delivers their messages again: with some it is enough. */
  readonly #hasRoom = new Condition(() => this.#inFlight < 4 * this.#subscription.prefetch);

  constructor(broker: BrokerConnection, subscription: Subscription, log: Logger) {
    this.#broker = broker;
    this.#log = log;
    this.#subscription = {
      ...subscription,
      handle: async (message, channel) => {
        this.#inFlight += 1;
        this.#touchedAt = performance.now();
        try {
          await subscription.handle(message, channel);
        } finally {
          this.#inFlight -= 1;
          this.#touchedAt = performance.now();
          this.#hasRoom.changed();
        }
      },
    };
  }

  get queue(): string {
    return this.#subscription.queue;
  }

  get consumed(): boolean {
    return this.#session !== undefined;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Since a delivery came or was done with; undefined: none ever came. */
  get untouchedMs(): number | undefined {
    return this.#touchedAt === undefined ? undefined : Math.floor(performance.now() - this.#touchedAt);
  }

  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** @returns how many handlers were not done within that time; their messages are delivered again */
  async drain(withinMs: number): Promise<number> {
    this.#stopping.abort();
    await this.#running;
    const sessions = [...this.#retired];
    if (this.#session) sessions.push(this.#session);
    this.#session = undefined;
    await Promise.all(sessions.map((session) => session.cancel()));
    const left = await Promise.all(sessions.map((session) => session.finish(withinMs)));
    return left.reduce((sum, n) => sum + n, 0);
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      if (!(await this.#broker.whenConnected(LONG_MS, signal)) || !(await this.#hasRoom.wait(LONG_MS, signal)))
        continue;
      const since = Date.now();
      const reason = await this.#consumeOnce(signal);
      if (this.#isStopping()) return;
      failures = Date.now() - since >= GOOD_AFTER_MS ? 1 : failures + 1;
      const delayMs = backoff(failures, Math.random());
      this.#log.warn({ queue: this.queue, reason, delayMs }, 'not consumed');
      await pause(delayMs, signal);
      // The queue may be gone, which is one reason to be cancelled.
      if (this.#broker.connected) await this.#broker.assertTopology().catch(() => undefined);
    }
  }

  /** @returns why it ended, or could not begin; with the signal, the session is left to `drain` */
  async #consumeOnce(signal: AbortSignal): Promise<string> {
    try {
      const session = await ConsumerSession.start(this.#broker, this.#subscription, this.#log);
      this.#session = session;
      const declaring = setInterval(() => void this.#declareAgain(), DECLARE_EVERY_MS);
      void session.ended.finally(() => {
        clearInterval(declaring);
      });
      const { queue, prefetch, consumerTag } = this.#subscription;
      this.#log.info({ queue, prefetch, consumerTag }, 'listening');
      const stop = new Promise<string>((resolve) => {
        const end = () => {
          resolve('stopped');
        };
        if (signal.aborted) end();
        signal.addEventListener('abort', end);
        void session.ended.then(() => {
          signal.removeEventListener('abort', end);
        });
      });
      const reason = await Promise.race([session.ended, stop]);
      if (!signal.aborted) this.#retire(session);
      return reason;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** On a channel of its own: a refusal must not end the consumer's. */
  async #declareAgain(): Promise<void> {
    if (!this.#subscription.declare || !this.#broker.connected || this.#isStopping()) return;
    try {
      const channel = await this.#broker.openChannel();
      await this.#subscription.declare(channel).finally(() => channel.close());
    } catch (err) {
      this.#log.debug({ err, queue: this.queue }, 'the queue could not be declared again');
    }
  }

  #retire(session: ConsumerSession): void {
    this.#session = undefined;
    this.#retired.add(session);
    void session.finish(RETIRE_WITHIN_MS).finally(() => this.#retired.delete(session));
  }
}
