import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Logger } from 'pino';
import type { BrokerConnection } from './broker-connection.adapter.js';
import type { BrokerPublisher } from './broker-publisher.adapter.js';

export interface MaintenanceStrategyOptions {
  broker: BrokerConnection;
  publisher: BrokerPublisher;
  log: Logger;
  /** How long a message waits for a store that is away, from its first attempt. */
  storeRetryForMs: number;
  /** How long `close()` waits for handlers. */
  drainMs?: number;
}

export class MaintenanceStrategy extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;

  constructor(readonly options: MaintenanceStrategyOptions) {
    super();
  }
  /** The queues consumed at this moment. (`status` is Nest's own.) */
  consumed(): string[] {
    throw new Error('not yet');
  }
  /** Every queue a handler was declared for, consumed now or not. */
  queues(): { queue: string; consumed: boolean; inFlight: number }[] {
    throw new Error('not yet');
  }
  listen(_callback: () => void): void {
    throw new Error('not yet');
  }
  /** Drains: cancels the consumers, waits for the handlers, settles, closes the channels. Neither broker nor publisher. */
  close(): Promise<void> {
    throw new Error('not yet');
  }
  on(): never {
    throw new Error('not yet');
  }
  unwrap<T>(): T {
    return this.options.broker as T;
  }
}
