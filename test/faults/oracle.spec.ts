import { describe, expect, it } from '@jest/globals';
import { ObjectId } from 'mongodb';
import type { Receipt, ShownJob } from '../support/system.js';
import { type Found, type StoredEvent, violationsOf } from './oracle.js';
import type { Life, PlannedRecord, Tenant } from './tenant.js';

const hex = (n: number) => String(n).padStart(24, '0');
const receipt = (n: number, ...keys: string[]): Receipt => ({
  _id: new ObjectId(hex(n)),
  tenantId: 't',
  attachments: keys.map((key) => ({ key })),
});
const life = (key: string, change: Partial<Life> = {}): Life => ({ keys: [key], born: 'yes', taken: 'no', ...change });
const record = (n: number, ...lives: PlannedRecord['lives']): PlannedRecord => ({ id: hex(n), lives });

/** Two records that were to go, and one that came later. */
const tenant: Tenant = {
  id: 't',
  job: 'j',
  planned: [record(1, life('a')), record(2, life('b'))],
  inserted: [receipt(3, 'c')],
  reinsertUntil: 0,
  cancelled: 'no',
};
const batches = (...of: [count: number, ...keys: string[]][]): StoredEvent[] => [
  ...of.map(([count, ...objectKeys], i) => ({
    sequence: i + 1,
    batch: i + 1,
    message: { type: 'BatchDeleted', data: { count, objectKeys } },
  })),
  { sequence: of.length + 1, batch: null, message: { type: 'DeletionFinished', data: {} } },
];
const shown = (succeeded: number, purged: number, status = 'completed') =>
  ({
    status,
    progress: { succeeded, failed_count: 0, objects: { purged, retained: 0, failed: 0, pending: 0 } },
  }) as ShownJob;
const clean: Found = {
  records: [receipt(3, 'c')],
  objects: ['c'],
  events: batches([2, 'a', 'b']),
  shown: shown(2, 2),
};
const cancelled: Found = {
  records: [receipt(2, 'b'), receipt(3, 'c')],
  objects: ['b', 'c'],
  events: [
    ...batches([1, 'a']).slice(0, 1),
    { sequence: 2, batch: null, message: { type: 'DeletionCancelled', data: {} } },
  ],
  shown: shown(1, 1, 'cancelled'),
};
const judged = (found: Partial<Found>, of: Partial<Tenant> = {}) =>
  violationsOf({ ...tenant, ...of }, { ...clean, ...found }).map((violation) => violation.replace('job j: ', ''));

describe('the oracle', () => {
  it('has nothing to say of a job that did what it should', () => {
    expect(judged({})).toEqual([]);
    expect(judged(cancelled, { cancelled: 'yes' })).toEqual([]);
    const looked = { sequence: 3, batch: null, message: { type: 'RecordsVerified', data: {} } };
    expect(judged({ events: [...clean.events, looked] })).toEqual([]);
  });

  it.each<[string, Partial<Found>, string]>([
    ['a record that stayed', { records: [receipt(1, 'a'), receipt(3, 'c')] }, 'records left: 1'],
    ['a newer record that went', { records: [], objects: [] }, 'records of others gone: 1'],
    ['a file without its record', { objects: ['b', 'c'] }, 'orphaned objects: 1, such as b'],
    ['a record without its file', { objects: [] }, 'objects gone that a record refers to: 1, such as c'],
    ['a record gone in silence', { events: batches([1, 'a']) }, 'records gone that no event tells of: 1, such as b'],
    [
      'a key told that is referred to',
      { events: batches([2, 'a', 'b', 'c']) },
      'objects handed over that a record refers to: 1',
    ],
    [
      'a key told that was never planned',
      { events: batches([2, 'a', 'b', 'x']) },
      'objects handed over that were not of the job: 1',
    ],
    ['a key told twice', { events: batches([2, 'a', 'b'], [0, 'a']) }, 'a key was handed over twice'],
    ['a record counted twice', { events: batches([3, 'a', 'b']) }, 'events count 3 records, gone are 2 to 2'],
    ['another count than the events', { shown: shown(1, 2) }, 'succeeded is 1 of 2'],
    ['objects that were not purged', { shown: shown(2, 1) }, 'objects purged are 1 of 2'],
    ['a job that is not over', { shown: shown(2, 2, 'running') }, 'status is running'],
    ['no answer at all', { shown: null }, 'status is undefined'],
    ['a gap between sequences', { events: clean.events.slice(1) }, 'sequences have a gap or come twice'],
    [
      'an event after the last',
      { events: [...clean.events, { sequence: 3, batch: null, message: { type: 'DeletionResumed', data: {} } }] },
      'the last event is DeletionResumed',
    ],
  ])('sees %s', (_what, found, violation) => {
    expect(judged(found)).toContainEqual(expect.stringContaining(violation));
  });

  it.each<[string, Partial<Found>, string]>([
    ['a job that was not cancelled', clean, 'status is completed'],
    [
      'a record gone after the cancel',
      { ...cancelled, records: [receipt(3, 'c')], objects: ['c'] },
      'records gone that no event tells of: 1',
    ],
    ['a record left without its file', { ...cancelled, objects: ['c'] }, 'objects gone that a record refers to: 1'],
    [
      'an event after the cancel',
      { ...cancelled, events: [...cancelled.events, ...batches([1, 'b']).slice(0, 1)] },
      'the last event is BatchDeleted',
    ],
  ])('sees %s', (_what, found, violation) => {
    expect(judged(found, { cancelled: 'yes' })).toContainEqual(expect.stringContaining(violation));
  });
});

describe('of a record that the application inserted again, the oracle', () => {
  /** Deleted by the job, and inserted again. */
  const again = { planned: [record(1, life('a'), life('a2')), record(2, life('b'))] };

  it('expects both its lives to have gone, counted twice or, if it stood by then, once', () => {
    const two = { shown: shown(3, 3), events: batches([2, 'a', 'b'], [1, 'a2']) };
    expect(judged(two, again)).toEqual([]);
    expect(judged({ ...two, shown: shown(2, 3), events: batches([1, 'a', 'b'], [1, 'a2']) }, again)).toEqual([]);
    expect(judged({ ...two, shown: shown(1, 3), events: batches([1, 'a', 'b'], [0, 'a2']) }, again)).toEqual([
      'events count 1 records, gone are 2 to 3',
    ]);
    expect(judged({}, again)).toContain('records gone that no event tells of: 1, such as a2');
  });

  it('expects nothing to be told of a life that the application took itself', () => {
    const taken = { planned: [record(1, life('a', { taken: 'yes' }), life('a2')), record(2, life('b'))] };
    expect(judged({ events: batches([2, 'a2', 'b']) }, taken)).toEqual([]);
    expect(judged({ events: batches([2, 'a2', 'b']) }, again)).toEqual([
      'records gone that no event tells of: 1, such as a',
    ]);
  });

  it('forgives the file of a record that may never have been inserted, and nothing else', () => {
    const perhaps = { planned: [record(1, life('a'), life('a2', { born: 'perhaps' })), record(2, life('b'))] };
    expect(judged({ objects: ['a2', 'c'] }, perhaps)).toEqual([]);
    expect(judged({ objects: ['a', 'c'] }, perhaps)).toEqual(['orphaned objects: 1, such as a']);
  });
});
