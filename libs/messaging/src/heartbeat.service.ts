import type { WorkerHeartbeat } from '@expunge/contracts';
import { type Channel, IllegalOperationError } from 'amqplib';
import type { Logger } from 'pino';
import type { BrokerConnection } from './broker-connection.adapter.js';
import { heartbeatOf, type HeartbeatSnapshot, type HeartbeatState, publishHeartbeat } from './heartbeat-message.js';
import { settledWithin } from './within.js';

export interface HeartbeatOptions {
  broker: BrokerConnection;
  log: Logger;
  snapshot: () => HeartbeatSnapshot;
  /** 5,000. */
  everyMs?: number;
}

const EVERY_MS = 5_000;
const LAST_WORDS_WITHIN_MS = 1_000;

/**
 * Says what this process does, on a channel of its own without confirms: it waits for no window and for no answer.
 * A heartbeat that cannot go out is left out; the next one says more. Nothing here throws.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #state: HeartbeatState = 'starting';
  #timer: NodeJS.Timeout | undefined;
  #channel: Channel | undefined;
  #full = false;
  #beating: Promise<void> | undefined;
  #stopped = false;
  #exit: WorkerHeartbeat['data']['exit'];
  #said = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Begins in state `starting`. */
  start(): void {
    if (this.#timer || this.#stopped) return;
    this.#options.broker.on('connected', this.#beatNow);
    this.#timer = setInterval(this.#beatNow, this.#options.everyMs ?? EVERY_MS);
    this.#timer.unref();
    this.#beatNow();
  }

  /** Said at once, and from then on. */
  enter(state: HeartbeatState): void {
    if (this.#stopped || state === this.#state) return;
    this.#state = state;
    if (this.#timer) this.#beatNow();
  }

  /** The snapshot has changed, and is said at once. */
  changed(): void {
    if (this.#timer && !this.#stopped) this.#beatNow();
  }

  /**
   * Says of a process that was told to stop that it does, and waits a moment until it is out. No error is the reason: none
   * is told. Call before the broker connection closes.
   */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.silence();
    await settledWithin(this.#lastWords(), LAST_WORDS_WITHIN_MS);
  }

  /** Says nothing more: somebody else has the last words. */
  silence(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#options.broker.off('connected', this.#beatNow);
  }

  readonly #beatNow = (): void => {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined;
    });
  };

  async #lastWords(): Promise<void> {
    await this.#beating;
    this.#state = 'exiting';
    this.#exit = { code: 0, reason: 'stopped' };
    await this.#beat();
    // Answered after everything sent before it.
    await this.#channel?.close();
  }

  async #beat(): Promise<void> {
    const { broker, log } = this.#options;
    try {
      if (!broker.connected || broker.blocked !== null) return;
      const channel = this.#channel ?? (await this.#open());
      if (!this.#full && !this.#silenced()) this.#publish(channel);
    } catch (err) {
      // Ended in the same read that opened it: its 'close' came before anybody listened.
      if (err instanceof IllegalOperationError) this.#channel = undefined;
      log.debug({ err }, 'no heartbeat');
    }
  }

  // A method, because the compiler takes a property for unchanged across an await.
  #silenced(): boolean {
    return this.#stopped && !this.#exit;
  }

  async #open(): Promise<Channel> {
    const channel = await this.#options.broker.openChannel();
    channel.on('close', () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    channel.on('drain', () => {
      this.#full = false;
    });
    this.#full = false;
    return (this.#channel = channel);
  }

  #publish(channel: Channel): void {
    const [exit, state] = [this.#exit, this.#state];
    const snapshot = { ...this.#options.snapshot(), ...(exit ? { ready: false, lastError: null } : {}) };
    const beat = { number: ++this.#said, state, snapshot, exit };
    this.#full = !publishHeartbeat(channel, heartbeatOf(this.#options.broker.identity, beat, new Date()));
  }
}
