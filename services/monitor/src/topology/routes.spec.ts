import { topicMatches } from '@expunge/contracts';
import { describe, expect, it, test } from '@jest/globals';
import type { SeenBinding } from './broker-view.js';
import { bindingsOf, reaches } from './routes.js';

describe('a topic binding', () => {
  test.each([
    ['delete.*', 'delete.requested', true],
    ['delete.*', 'delete.requested.again', false],
    ['delete.*', 'delete', false],
    ['delete.#', 'delete', true],
    ['delete.#', 'delete.requested.again', true],
    ['#', 'anything.at.all', true],
    ['#.gone', 'a.b.gone', true],
    ['*.gone', 'a.b.gone', false],
    ['batch.deleted', 'batch.deleted', true],
    ['batch.deleted', 'batch.deletes', false],
  ])('%s takes %s: %s', (bindingKey, routingKey, takes) => {
    expect(topicMatches(bindingKey, routingKey)).toBe(takes);
  });
});

const binding = (source: string, destination: string, key: string, destinationType: 'queue' | 'exchange' = 'queue') =>
  ({ source, destination, destinationType, key }) satisfies SeenBinding;
const exchanges = [
  { name: 'maintenance', type: 'topic' },
  { name: 'audit', type: 'fanout' },
  { name: 'direct', type: 'direct' },
  { name: 'odd', type: 'headers' },
];

describe('a message of maintenance', () => {
  it('reaches a queue through exchanges of other types', () => {
    const bindings = [
      binding('maintenance', 'audit', 'delete.#', 'exchange'),
      binding('audit', 'direct', '', 'exchange'),
      binding('direct', 'q', 'delete.requested'),
    ];
    expect(reaches({ exchanges, bindings }, 'delete.requested', 'q')).toBe(true);
    expect(reaches({ exchanges, bindings }, 'delete.cancelled', 'q')).toBe(false);
    expect(bindingsOf(bindings, 'q')).toEqual([{ key: 'delete.requested', through: 'direct' }]);
  });

  it('does not run in circles', () => {
    const bindings = [
      binding('maintenance', 'audit', '#', 'exchange'),
      binding('audit', 'maintenance', '', 'exchange'),
    ];
    expect(reaches({ exchanges, bindings }, 'delete.requested', 'q')).toBe(false);
  });

  it('may reach it by headers, which nobody can tell', () => {
    const bindings = [binding('maintenance', 'odd', '#', 'exchange'), binding('odd', 'q', '')];
    expect(reaches({ exchanges, bindings }, 'delete.requested', 'q')).toBeNull();
  });

  it('may reach it by bindings that were not seen', () => {
    expect(reaches({ exchanges, bindings: null }, 'delete.requested', 'q')).toBeNull();
  });
});
