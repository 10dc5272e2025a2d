import type { WorkerHeartbeat } from '@expunge/contracts';
import type { Logger } from 'pino';
import type { BrokerConnection } from './broker-connection.adapter.js';

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
  everyMs?: number;
}

export class Heartbeat {
  constructor(readonly options: HeartbeatOptions) {}
  /** Begins in state `starting`. */
  start(): void {
    throw new Error('not yet');
  }
  /** Said at once, and from then on. */
  enter(_state: HeartbeatState): void {
    throw new Error('not yet');
  }
  /** Says `exiting` for the last time, and waits a moment until it is out. Call before the broker connection closes. */
  stop(): Promise<void> {
    throw new Error('not yet');
  }
}
