import { describe, expect, it } from '@jest/globals';
import { consumerOf, healthyBroker, NOW } from '../testing/situation.js';
import { changesBetween, emptyRoll, rollOf } from './roll-call.js';

const made = { number: 7, time: NOW.toISOString(), source: 'urn:expunge:monitor' };
const healthy = () => rollOf(healthyBroker(), emptyRoll);

describe('the roll', () => {
  it('says who came and which bindings are there when it is called for the first time', () => {
    const events = changesBetween(emptyRoll, healthy(), made);
    expect(events.filter(({ type }) => type === 'ConsumerAttached')).toHaveLength(4);
    expect(events.some(({ type, data }) => type === 'BindingChanged' && !('present' in data && data.present))).toBe(
      false,
    );
    expect(events[0]?.id).toBe('roll-call:7:0');
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  });

  it('says nothing while nothing changes, in whatever order the broker lists', () => {
    const view = healthyBroker();
    const turned = {
      ...view,
      consumers: view.consumers?.toReversed() ?? null,
      bindings: view.bindings?.toReversed() ?? null,
    };
    expect(changesBetween(healthy(), rollOf(turned, emptyRoll), made)).toEqual([]);
  });

  it('says who left, by name, and who came in its place', () => {
    const view = healthyBroker();
    const next = (view.consumers ?? []).map((one) =>
      one.queue === 'deleter.jobs' ? consumerOf('deleter', 'deleter.jobs', 'deleter-2') : one,
    );
    const events = changesBetween(healthy(), rollOf({ ...view, consumers: next }, healthy()), made);
    expect(events.map(({ type, subject, data }) => [type, subject, 'instance' in data && data.instance])).toEqual([
      ['ConsumerDetached', 'deleter.jobs', 'deleter-1'],
      ['ConsumerAttached', 'deleter.jobs', 'deleter-2'],
    ]);
  });

  it('tells a stranger by its tag alone', () => {
    const view = healthyBroker();
    const stranger = { queue: 'deleter.jobs', tag: 'amq.ctag-x', prefetch: 0, connection: null };
    const roll = rollOf({ ...view, consumers: [...(view.consumers ?? []), stranger] }, emptyRoll);
    const [event] = changesBetween(healthy(), roll, made);
    expect(event).toMatchObject({
      type: 'ConsumerAttached',
      data: { consumerTag: 'amq.ctag-x', service: null, instance: null },
    });
  });

  it('says which binding went and which came', () => {
    const view = healthyBroker();
    const bindings = (view.bindings ?? []).map((one) => (one.key === 'batch.deleted' ? { ...one, key: 'x.y' } : one));
    const after = rollOf({ ...view, bindings }, healthy());
    // The monitor's own queue is bound with another key.
    expect(changesBetween(healthy(), after, made).map(({ data }) => data)).toEqual([
      { exchange: 'maintenance', queue: 'storage-cleaner.batches', bindingKey: 'batch.deleted', present: false },
      { exchange: 'maintenance', queue: 'storage-cleaner.batches', bindingKey: 'x.y', present: true },
    ]);
  });

  it('stays as it was where nobody could look', () => {
    const blind = { ...healthyBroker(), consumers: null, bindings: null };
    expect(rollOf(blind, healthy())).toEqual(healthy());
  });
});
