import { describe, expect, it } from '@jest/globals';
import { consumerOf, healthyBroker } from '../testing/situation.js';
import type { BrokerView } from './broker-view.js';
import { comparedQueues, isTransient, listensToMaintenance, withoutGhosts } from './compared.js';

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

describe('a consumer that the broker lists', () => {
  const slices = (consumes: string[], state: 'running' | 'starting' = 'running') => {
    const view = withoutGhosts(healthyBroker(), [{ instance: 'deleter-1', state, consumes }]);
    return queueIn(view, 'deleter.slices')?.missing;
  };

  it('is none when its instance lives and says that it does not consume', () => {
    expect(slices(['deleter.jobs'])).toEqual(['a consumer of deleter']);
  });

  it('is one when its instance says so, has not started yet, or says nothing', () => {
    expect(slices(['deleter.jobs', 'deleter.slices'])).toEqual([]);
    expect(slices([], 'starting')).toEqual([]);
    expect(queueIn(withoutGhosts(healthyBroker(), []), 'deleter.slices')?.missing).toEqual([]);
  });

  it('is a stranger whatever anybody says', () => {
    const stranger = { queue: 'deleter.slices', tag: 'x', prefetch: 0, connection: null };
    const beats = [{ instance: 'deleter-1', state: 'running' as const, consumes: [] }];
    expect(withoutGhosts({ ...healthyBroker(), consumers: [stranger] }, beats).consumers).toEqual([stranger]);
  });
});

it('knows the queues that instances declare for themselves', () => {
  expect(['monitor.heartbeats.m-1', 'api.progress.a-1', 'deleter.jobs'].map(isTransient)).toEqual([true, true, false]);
});
