import { EventEmitter } from 'node:events';
import type { Channel, ConfirmChannel } from 'amqplib';
import type { Logger } from 'pino';
import type { Identity } from './identity.js';

export interface BrokerConnectionOptions {
  url: string;
  identity: Identity;
  log: Logger;
  /** Seconds. */
  heartbeat?: number;
}

interface BrokerEvents {
  connected: [];
  disconnected: [];
  blocked: [reason: string];
  unblocked: [];
}

export class BrokerConnection extends EventEmitter<BrokerEvents> {
  constructor(readonly options: BrokerConnectionOptions) {
    super();
  }
  get identity(): Identity {
    return this.options.identity;
  }
  /** Connected, with the topology asserted. */
  connected = false;
  /** Why the broker takes no publishes now (memory or disk alarm), or null. */
  blocked: string | null = null;
  lastError: Error | null = null;

  start(): void {
    throw new Error('not yet');
  }
  /** False when there was no connection within that time. */
  whenConnected(_withinMs: number): Promise<boolean> {
    throw new Error('not yet');
  }
  openChannel(): Promise<Channel> {
    throw new Error('not yet');
  }
  openConfirmChannel(): Promise<ConfirmChannel> {
    throw new Error('not yet');
  }
  assertTopology(): Promise<void> {
    throw new Error('not yet');
  }
  /** Messages ready in a queue. */
  queueDepth(_queue: string): Promise<number> {
    throw new Error('not yet');
  }
  close(): Promise<void> {
    throw new Error('not yet');
  }
}
