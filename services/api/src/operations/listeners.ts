import type { QueueView } from '@expunge/contracts';
import type { Listener } from '../jobs/job-answers.js';

export function listenersOf(queues: readonly QueueView[], named: boolean): Listener[] {
  return queues.map((queue) => ({
    queue: queue.name,
    service: queue.service,
    consumer_count: queue.consumerCount,
    ...(named && { consumers: oursOf(queue) }),
    missing: queue.missing,
  }));
}

const oursOf = ({ consumers }: QueueView): Listener['consumers'] =>
  consumers?.filter(({ expected }) => expected).map(({ instance, host, version }) => ({ instance, host, version })) ??
  null;

/** What keeps a deletion from being done now, in words; empty: each step has somebody who takes it. */
export function lackOf(listeners: readonly Listener[]): string[] {
  return listeners.flatMap(({ queue, consumer_count: count, missing }) => {
    if (missing.length > 0) return missing.map((what) => `${queue} lacks ${what}`);
    return count === null ? [`it is not known whether ${queue} is consumed`] : [];
  });
}
