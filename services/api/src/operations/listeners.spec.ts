import type { ConsumerView, QueueView } from '@expunge/contracts';
import { describe, expect, test } from '@jest/globals';
import { lackOf, listenersOf } from './listeners.js';

const consumer = (service: string, expected = true): ConsumerView => ({
  consumerTag: `${service}@i-1:q`,
  service: expected ? service : null,
  instance: 'i-1',
  host: 'h',
  version: '1.2.3',
  prefetch: 4,
  since: null,
  expected,
});
const queue = (more: Partial<QueueView>): QueueView => ({
  name: 'deleter.jobs',
  service: 'deleter',
  declared: true,
  present: true,
  ready: 0,
  unacknowledged: 0,
  parked: 0,
  bindings: [],
  consumers: [consumer('deleter')],
  consumerCount: 1,
  missing: [],
  unexpected: [],
  ...more,
});

describe('who listens', () => {
  test('is told by queue, of those that are ours', () => {
    const seen = queue({ consumers: [consumer('deleter'), consumer('x', false)], consumerCount: 2 });
    const [listener] = listenersOf([seen], true);
    expect(listener).toEqual({
      queue: 'deleter.jobs',
      service: 'deleter',
      consumer_count: 2,
      consumers: [{ instance: 'i-1', host: 'h', version: '1.2.3' }],
      missing: [],
    });
    expect(listenersOf([queue({})], false)[0]).not.toHaveProperty('consumers');
  });

  test.each([
    ['each step is taken', {}, []],
    ['some are counted, not listed', { consumers: null, consumerCount: 3 }, []],
    [
      'nobody could look',
      { consumers: null, consumerCount: null },
      ['it is not known whether deleter.jobs is consumed'],
    ],
    [
      'nobody listens',
      { consumers: [], consumerCount: 0, missing: ['a consumer of deleter'] },
      ['deleter.jobs lacks a consumer of deleter'],
    ],
    ['a binding is gone', { missing: ['binding delete.#'] }, ['deleter.jobs lacks binding delete.#']],
  ])('and where %s, what is lacking', (_, more, lack) => {
    expect(lackOf(listenersOf([queue(more)], false))).toEqual(lack);
  });
});
