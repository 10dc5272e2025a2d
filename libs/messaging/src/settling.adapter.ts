import { parkedQueue, retryQueue } from '@expunge/contracts';
import type { ConsumeMessage } from 'amqplib';
import type { Logger } from 'pino';
import { attemptHeaders, headerNames } from './attempt-headers.js';
import type { BrokerConnection } from './broker-connection.adapter.js';
import type { BrokerPublisher } from './broker-publisher.adapter.js';
import type { Outgoing } from './confirm-link.adapter.js';
import type { DeliveryChannel } from './consumer-session.adapter.js';
import { copiedProperties, propertiesWithoutHeaders } from './copied-properties.js';
import { ConflictError, TransientError } from './errors.js';
import { UnroutableError } from './publish-errors.js';
import type { Verdict } from './settlement.js';
import { pause } from './within.js';

/** Between tries to get the copy out, while the delivery can still be settled. */
const TRY_AGAIN_MS = [0, 200, 1_000, 3_000];

export interface Unsettled {
  queue: string;
  message: ConsumeMessage;
  channel: DeliveryChannel;
  attempt: number;
  /** What the log lines carry besides: job, type, id. */
  about: Record<string, unknown>;
  /** The handler's error, for the log. */
  error?: unknown;
}

/** Carries verdicts out. The one place where failures of handlers are logged. */
export class Settling {
  readonly #broker: BrokerConnection;
  readonly #publisher: BrokerPublisher;
  readonly #log: Logger;
  readonly #never = new AbortController().signal;

  constructor(broker: BrokerConnection, publisher: BrokerPublisher, log: Logger) {
    this.#broker = broker;
    this.#publisher = publisher;
    this.#log = log;
  }

  async settle(verdict: Verdict, unsettled: Unsettled, now: number): Promise<void> {
    const { queue, message, channel, attempt, about, error } = unsettled;
    const line = { ...about, queue, attempt, ...(error === undefined ? {} : { err: error }) };
    switch (verdict.settle) {
      case 'ack':
        channel.ack(message);
        return;
      case 'drop':
        // A conflict is an ordinary end; anything else is dropped because its queue keeps nothing.
        if (error instanceof ConflictError) this.#log.debug({ ...line, reason: verdict.reason }, 'dropped');
        else this.#log.warn({ ...line, reason: verdict.reason }, 'dropped');
        channel.ack(message);
        return;
      case 'retry': {
        const headers = attemptHeaders(verdict.next);
        const to = retryQueue(queue, verdict.tier);
        this.#log.warn({ ...line, reason: verdict.reason, delayS: verdict.tier }, 'failed, will be tried again');
        // Rejected, it is delivered again at once, and counts towards the delivery limit.
        if (await this.#copy(to, headers, unsettled)) channel.ack(message);
        else channel.reject(message, true);
        return;
      }
      case 'park': {
        const headers = {
          [headerNames.parkedReason]: verdict.reason,
          [headerNames.parkedAt]: new Date(now).toISOString(),
          [headerNames.parkedFrom]: queue,
          [headerNames.attempt]: attempt,
        };
        this.#log.error({ ...line, reason: verdict.reason }, 'parked');
        // Rejected, the broker dead-letters it to the same queue: without the reason, but never lost.
        if (await this.#copy(parkedQueue(queue), headers, unsettled)) channel.ack(message);
        else channel.reject(message, false);
        return;
      }
    }
  }

  /** False: the copy could not be published. Ends early, without one, when the delivery's channel does. */
  async #copy(to: string, headers: Record<string, unknown>, { message, channel, queue }: Unsettled): Promise<boolean> {
    let copy: Outgoing = {
      exchange: '',
      routingKey: to,
      content: message.content,
      properties: copiedProperties(message.properties, headers),
    };
    for (const delayMs of TRY_AGAIN_MS) {
      if (delayMs > 0) await pause(delayMs, this.#never);
      if (!channel.open) return false;
      try {
        await this.#publisher.put(copy);
        return true;
      } catch (err) {
        this.#log.warn({ err, queue, to }, 'the copy of a message could not be published');
        // Not even encoded: among the headers it came with is something that cannot be written again.
        if (!(err instanceof TransientError)) {
          copy = { ...copy, properties: propertiesWithoutHeaders(message.properties, headers) };
        }
        if (err instanceof UnroutableError) await this.#broker.assertTopology().catch(() => undefined);
      }
    }
    return false;
  }
}
