import { MAINTENANCE_EXCHANGE, type Message, MESSAGE_CONTENT_TYPE } from '@expunge/contracts';
import { type Channel, IllegalOperationError } from 'amqplib';
import type { Logger } from 'pino';
import type { BrokerConnection } from './broker-connection.adapter.js';

/**
 * Says what may be lost, on a channel of its own without confirms: it waits for no window and for no answer. What cannot
 * go out at once is left out. Nothing here throws.
 */
export class Unconfirmed {
  #channel: Channel | undefined;
  #opening: Promise<Channel> | undefined;
  #full = false;

  constructor(
    private readonly broker: Pick<BrokerConnection, 'connected' | 'blocked' | 'openChannel'>,
    private readonly log: Logger,
  ) {}

  /** @param make what to say at the moment at which it can go out; null: nothing any more */
  async say(routingKey: string, make: () => Message | null): Promise<void> {
    try {
      if (!this.broker.connected || this.broker.blocked !== null) return;
      const channel = this.#channel ?? (await (this.#opening ??= this.#open()));
      const message = this.#full ? null : make();
      if (message !== null) this.#full = !publishUnconfirmed(channel, routingKey, message);
    } catch (err) {
      // Ended in the same read that opened it: its 'close' came before anybody listened.
      if (err instanceof IllegalOperationError) this.#channel = undefined;
      this.log.debug({ err, routingKey }, 'not said');
    }
  }

  /** Resolves when everything said before is out. */
  async close(): Promise<void> {
    await this.#channel?.close().catch(() => undefined);
  }

  async #open(): Promise<Channel> {
    try {
      const channel = await this.broker.openChannel();
      channel.on('close', () => {
        if (this.#channel === channel) this.#channel = undefined;
      });
      channel.on('drain', () => {
        this.#full = false;
      });
      this.#full = false;
      return (this.#channel = channel);
    } finally {
      this.#opening = undefined;
    }
  }
}

/**
 * Neither mandatory nor persistent: where nobody listens there is nobody to hear it, which is no error.
 * @returns false when the channel is full
 */
export function publishUnconfirmed(channel: Channel, routingKey: string, message: Message): boolean {
  return channel.publish(MAINTENANCE_EXCHANGE, routingKey, Buffer.from(JSON.stringify(message)), {
    messageId: message.id,
    type: message.type,
    correlationId: message.subject,
    timestamp: Math.floor(Date.parse(message.time) / 1000),
    contentType: MESSAGE_CONTENT_TYPE,
  });
}
