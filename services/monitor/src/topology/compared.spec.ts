import { describe, expect, it } from '@jest/globals';
import { consumerOf, healthyBroker } from '../testing/situation.js';
import type { BrokerView } from './broker-view.js';
import { comparedQueues, isTransient, listensToMaintenance } from './compared.js';

const queueIn = (view: BrokerView, name: string) => comparedQueues(view).find((queue) => queue.name === name);

describe('a broker on which everything is as declared', () => {
  it('lacks nothing and listens', () => {
    const queues = comparedQueues(healthyBroker());
    expect(queues.flatMap(({ missing, unexpected }) => [...missing, ...unexpected])).toEqual([]);
    expect(listensToMaintenance(queues)).toBe(true);
  });
});

describe('a queue', () => {
  it('lacks the binding that was replaced, and has the one nobody declared', () => {
    const view = healthyBroker();
    const bindings = (view.bindings ?? []).map((one) =>
      one.key === 'batch.deleted' ? { ...one, key: 'batch.delete' } : one,
    );
    const queue = queueIn({ ...view, bindings }, 'storage-cleaner.batches');
    expect(queue?.missing).toEqual(['binding batch.deleted']);
    expect(queue?.unexpected).toEqual(['binding batch.delete']);
    expect(listensToMaintenance(comparedQueues({ ...view, bindings }))).toBe(false);
  });

  it('lacks its owner while only strangers consume', () => {
    const view = healthyBroker();
    const others = (view.consumers ?? []).filter(({ queue }) => queue !== 'deleter.jobs');
    const stranger = { queue: 'deleter.jobs', tag: 'amq.ctag-x', prefetch: 0, connection: null };
    const wrongService = consumerOf('monitor', 'deleter.jobs');
    const queue = queueIn({ ...view, consumers: [...others, stranger, wrongService] }, 'deleter.jobs');
    expect(queue?.missing).toEqual(['a consumer of deleter']);
    expect(queue?.unexpected).toEqual(['consumer amq.ctag-x', 'consumer monitor@monitor-1:deleter.jobs']);
  });

  it('is told by the number of its consumers where they cannot be listed', () => {
    const view: BrokerView = {
      ...healthyBroker(),
      bindings: null,
      consumers: null,
      queues: (healthyBroker().queues ?? []).map((queue) => ({
        ...queue,
        consumerCount: queue.name === 'deleter.jobs' ? 0 : 1,
      })),
    };
    expect(queueIn(view, 'deleter.jobs')).toMatchObject({ missing: ['a consumer of deleter'], consumers: null });
    expect(queueIn(view, 'deleter.slices')?.missing).toEqual([]);
    expect(listensToMaintenance(comparedQueues(view))).toBe(false);
  });

  it('of which nothing could be seen is not said to listen', () => {
    const view: BrokerView = { ...healthyBroker(), bindings: null, consumers: null, queues: null, exchanges: null };
    expect(listensToMaintenance(comparedQueues(view))).toBeNull();
  });
});

it('knows the queues that instances declare for themselves', () => {
  expect(['monitor.heartbeats.m-1', 'api.progress.a-1', 'deleter.jobs'].map(isTransient)).toEqual([true, true, false]);
});
