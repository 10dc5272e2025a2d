import type { WorkerHeartbeat } from '@expunge/contracts';
import type { Logger } from 'pino';
import type { BrokerConnection } from './broker-connection.adapter.js';
import { HEARTBEAT_KEY, heartbeatOf, type HeartbeatSnapshot, type HeartbeatState } from './heartbeat-message.js';
import { Unconfirmed } from './unconfirmed.adapter.js';
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
 * Says what this process does. A heartbeat that cannot go out is left out; the next one says more. Nothing here throws.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #state: HeartbeatState = 'starting';
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #stopped = false;
  #exit: WorkerHeartbeat['data']['exit'];
  #number = 0;
  readonly #words: Unconfirmed;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#words = new Unconfirmed(options.broker, options.log);
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
    await this.#words.close();
  }

  async #beat(): Promise<void> {
    await this.#words.say(HEARTBEAT_KEY, () => (this.#stopped && !this.#exit ? null : this.#current()));
  }

  #current(): WorkerHeartbeat {
    const [exit, state] = [this.#exit, this.#state];
    const snapshot = { ...this.#options.snapshot(), ...(exit ? { ready: false, lastError: null } : {}) };
    const beat = { number: ++this.#number, state, snapshot, exit };
    return heartbeatOf(this.#options.broker.identity, beat, new Date());
  }
}
