import { MAINTENANCE_EXCHANGE, MESSAGE_CONTENT_TYPE, WorkerHeartbeat } from '@expunge/contracts';
import { type Channel, IllegalOperationError } from 'amqplib';
import type { Logger } from 'pino';
import type { BrokerConnection } from './broker-connection.adapter.js';
import { settledWithin } from './within.js';

export type HeartbeatState = WorkerHeartbeat['data']['state'];

/** What changes from one heartbeat to the next; who it comes from is the broker connection's identity. */
export type HeartbeatSnapshot = Pick<
  WorkerHeartbeat['data'],
  'ready' | 'consumes' | 'doing' | 'lastError' | 'sequences' | 'missingIndexes'
>;

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

  /** Says `exiting` for the last time and waits a moment until it is out. Call before the broker connection closes. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#options.broker.off('connected', this.#beatNow);
    await settledWithin(this.#lastWords(), LAST_WORDS_WITHIN_MS);
  }

  readonly #beatNow = (): void => {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined;
    });
  };

  async #lastWords(): Promise<void> {
    await this.#beating;
    this.#state = 'exiting';
    await this.#beat();
    // Answered after everything sent before it.
    await this.#channel?.close();
  }

  async #beat(): Promise<void> {
    const { broker, log } = this.#options;
    try {
      if (!broker.connected || broker.blocked !== null) return;
      const channel = this.#channel ?? (await this.#open());
      if (!this.#full) this.#publish(channel);
    } catch (err) {
      // Ended in the same read that opened it: its 'close' came before anybody listened.
      if (err instanceof IllegalOperationError) this.#channel = undefined;
      log.debug({ err }, 'no heartbeat');
    }
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
    const message = this.#message(new Date());
    // Neither mandatory nor persistent: with no monitor up there is nobody to hear it, which is no error.
    const room = channel.publish(MAINTENANCE_EXCHANGE, ROUTING_KEY, Buffer.from(JSON.stringify(message)), {
      messageId: message.id,
      type: message.type,
      correlationId: message.subject,
      timestamp: Math.floor(Date.parse(message.time) / 1000),
      contentType: MESSAGE_CONTENT_TYPE,
    });
    this.#full = !room;
  }

  #message(now: Date): WorkerHeartbeat {
    const { service, instance, host, version, startedAt } = this.#options.broker.identity;
    const time = now.toISOString();
    const who = { service, instance, host, pid: process.pid, version, startedAt: startedAt.toISOString() };
    return WorkerHeartbeat.create({
      id: `${instance}:heartbeat:${startedAt.getTime()}:${++this.#said}`,
      source: `/${service}/${instance}`,
      subject: instance,
      time,
      data: { ...who, state: this.#state, ...this.#options.snapshot() },
    });
  }
}

const ROUTING_KEY = WorkerHeartbeat.routingKey ?? '';
