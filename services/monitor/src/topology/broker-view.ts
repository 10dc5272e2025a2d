import type { NotChecked } from '@expunge/contracts';

/** The broker as it was seen at one moment. What could not be looked at is null, and named in `notChecked`. */
export interface BrokerView {
  /** By this monitor's clock. */
  at: string;
  /** This monitor's own connection stands. */
  connected: boolean;
  /** Why it does not, or what of the topology the broker refuses to declare. */
  error: string | null;
  /** Why the broker takes no publishes from this connection. */
  blocked: string | null;
  version: string | null;
  exchanges: SeenExchange[] | null;
  bindings: SeenBinding[] | null;
  queues: SeenQueue[] | null;
  consumers: SeenConsumer[] | null;
  /** Names of alarms in force, with their node. */
  alarms: string[] | null;
  notChecked: NotChecked[];
}

export interface SeenExchange {
  name: string;
  type: string;
}

/** Of an exchange that messages of `maintenance` can reach. */
export interface SeenBinding {
  source: string;
  destination: string;
  destinationType: 'queue' | 'exchange';
  key: string;
}

export interface SeenQueue {
  name: string;
  ready: number;
  unacknowledged: number;
  /** As far as the queue counts them: seconds later than the list of consumers. */
  consumerCount: number | null;
  /** Since the broker began to count; null: it does not say. */
  acknowledged: number | null;
  redelivered: number | null;
}

export interface SeenConsumer {
  queue: string;
  tag: string;
  prefetch: number;
  /** What its connection says of itself; null: the connection is not listed. */
  connection: { name: string | null; host: string | null; version: string | null; connectedAt: string | null } | null;
}

export const nothingSeen = (at: string, error: string | null): BrokerView => ({
  at,
  connected: false,
  error,
  blocked: null,
  version: null,
  exchanges: null,
  bindings: null,
  queues: null,
  consumers: null,
  alarms: null,
  notChecked: [],
});

/** `service@instance:queue`, as our consumers name themselves; null: a tag of another form. */
export function ownerOf(tag: string): { service: string; instance: string; queue: string } | null {
  const [, service, instance, queue] = /^([\w-]+)@([\w.-]+):(.+)$/.exec(tag) ?? [];
  return service !== undefined && instance !== undefined && queue !== undefined ? { service, instance, queue } : null;
}
