export const MAINTENANCE_EXCHANGE = 'maintenance';

export const serviceNames = ['api', 'deleter', 'storage-cleaner', 'monitor'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Seconds a message waits before it is tried again: one queue per delay, since a queue's TTL has no head-of-line blocking. */
export const retryTiers = [2, 4, 8, 16, 30] as const;
export type RetryTier = (typeof retryTiers)[number];

/** Deliveries of one message that end with its consumer dead, before the broker parks it. */
export const DELIVERY_LIMIT = 20;

/** A durable quorum queue that one service consumes, with its retry tiers and its parking queue. */
export interface WorkQueue {
  name: string;
  service: ServiceName;
  /** Binding keys on the maintenance exchange; none: published to directly. */
  bindings: string[];
  /** Unacknowledged deliveries one consumer holds at most. */
  prefetch: number;
  singleActiveConsumer: boolean;
}

export const workQueues = {
  deleterJobs: {
    name: 'deleter.jobs',
    service: 'deleter',
    bindings: ['delete.*', 'events.wanted', 'objects.purge-failed', 'job.expired'],
    prefetch: 8,
    singleActiveConsumer: false,
  },
  deleterSlices: {
    name: 'deleter.slices',
    service: 'deleter',
    bindings: [],
    prefetch: 4,
    singleActiveConsumer: false,
  },
  storageCleanerBatches: {
    name: 'storage-cleaner.batches',
    service: 'storage-cleaner',
    bindings: ['batch.deleted', 'purge.requested', 'check.requested'],
    prefetch: 4,
    singleActiveConsumer: false,
  },
  monitorEvents: {
    name: 'monitor.events',
    service: 'monitor',
    bindings: ['delete.#', 'deletion.#', 'batch.#', 'purge.#', 'objects.#', 'job.#', 'topology.#'],
    prefetch: 32,
    singleActiveConsumer: true,
  },
} as const satisfies Record<string, WorkQueue>;

export const allWorkQueues: readonly WorkQueue[] = Object.values(workQueues);

/** One queue an instance, gone with its connection: what it missed while away is of no use to it. */
export interface TransientQueue {
  service: ServiceName;
  /** Between the service's name and the instance's. */
  kind: string;
  bindings: string[];
}

export const transientQueues = {
  monitorHeartbeats: { service: 'monitor', kind: 'heartbeats', bindings: ['worker.#'] },
  apiProgress: { service: 'api', kind: 'progress', bindings: ['projection.changed'] },
  apiChecks: { service: 'api', kind: 'checks', bindings: ['resource.checked'] },
  deleterChecks: { service: 'deleter', kind: 'checks', bindings: ['resource.check-requested', 'resource.checked'] },
  storageCleanerChecks: { service: 'storage-cleaner', kind: 'checks', bindings: ['resource.check-requested'] },
} as const satisfies Record<string, TransientQueue>;

export const retryQueue = (queue: string, tier: RetryTier): string => `${queue}.retry.${tier}s`;
export const parkedQueue = (queue: string): string => `${queue}.parked`;
export const transientQueue = (name: keyof typeof transientQueues, instance: string): string =>
  `${transientQueues[name].service}.${transientQueues[name].kind}.${instance}`;

/** The delay before attempt `n + 1`, for n = 1, 2, 3 …: 2, 4, 8, 16, 30, 30 … s. */
export function tierOf(attempt: number): RetryTier {
  return retryTiers[Math.min(Math.max(attempt, 1), retryTiers.length) - 1] ?? 30;
}

export interface QueueDeclaration {
  name: string;
  arguments: Record<string, string | number | boolean>;
}

/** Everything to declare for one work queue, in an order in which each dead-letter target exists before its source. */
export function queueDeclarations(queue: WorkQueue): QueueDeclaration[] {
  const deadLetterTo = (target: string) => ({
    'x-queue-type': 'quorum',
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': target,
    // At-most-once would drop a message whose target is missing; at-least-once requires reject-publish.
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  });
  return [
    { name: parkedQueue(queue.name), arguments: { 'x-queue-type': 'quorum' } },
    {
      name: queue.name,
      arguments: {
        ...deadLetterTo(parkedQueue(queue.name)),
        'x-delivery-limit': DELIVERY_LIMIT,
        ...(queue.singleActiveConsumer ? { 'x-single-active-consumer': true } : {}),
      },
    },
    ...retryTiers.map((tier) => ({
      name: retryQueue(queue.name, tier),
      arguments: { ...deadLetterTo(queue.name), 'x-message-ttl': tier * 1000 },
    })),
  ];
}

/** Whether a topic binding takes a routing key: `*` is one word, `#` any number of them. */
export function topicMatches(bindingKey: string, routingKey: string): boolean {
  return matches(bindingKey.split('.'), routingKey.split('.'));
}

function matches([pattern, ...patterns]: string[], words: string[]): boolean {
  if (pattern === undefined) return words.length === 0;
  if (pattern === '#') {
    return matches(patterns, words) || (words.length > 0 && matches(['#', ...patterns], words.slice(1)));
  }
  const [word, ...rest] = words;
  return word !== undefined && (pattern === '*' || pattern === word) && matches(patterns, rest);
}
