import type { Message, RetryTier } from '@expunge/contracts';
import type { Logger } from 'pino';
import type { BrokerConnection } from './broker-connection.adapter.js';
import type { Publisher } from './publisher.js';

export interface BrokerPublisherOptions {
  broker: BrokerConnection;
  log: Logger;
  /** Messages on their way at most. */
  window?: number;
  confirmTimeoutMs?: number;
}

export class BrokerPublisher implements Publisher {
  constructor(readonly options: BrokerPublisherOptions) {}

  publish(_message: Message): Promise<void> {
    throw new Error('not yet');
  }
  send(_queue: string, _message: Message, _options?: { attempt?: number; tier?: RetryTier }): Promise<void> {
    throw new Error('not yet');
  }
  /** Waits for what is on its way, then closes the channel. */
  close(): Promise<void> {
    throw new Error('not yet');
  }
}
