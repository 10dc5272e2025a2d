import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { openStore, type Store } from '@expunge/runtime/store';
import { pino } from 'pino';
import { Door } from '../../../test/support/door.js';
import { type Database, freshDatabase } from '../../../test/support/servers.js';
import { EventStore } from '../src/jobs/event-store.repository.js';
import { DeletionCancelled } from '@expunge/contracts';

let database: Database;
let door: Door;
let store: Store;
let events: EventStore;

beforeEach(async () => {
  database = await freshDatabase('event-store');
  door = new Door(database.url);
  await door.open();
  store = openStore(door.url, 'test', pino({ level: 'silent' }));
  events = new EventStore(store.db());
  await events.createIndexes();
});
afterEach(async () => {
  await store.close();
  await door.shut();
  await database.drop();
});

const totals = { batches: 0, succeeded: 0, failed: 0, objects: 0, retained: 0 };
const event = (sequence: number) =>
  DeletionCancelled.create({
    id: `j:${sequence}`,
    source: '/deleter',
    subject: 'j',
    time: '2026-11-01T10:00:00.000Z',
    sequence,
    data: { requestId: `r${sequence}`, by: 'a', reason: null, totals },
  });

it('does not take an event for stored that no server has answered for', async () => {
  await events.append([event(1)]);
  door.cutOn = 'insert';
  await expect(events.append([event(2)])).rejects.toMatchObject({ name: 'TransientError' });
});

it('leaves events that it has as they are, and takes the others', async () => {
  await events.append([event(1)]);
  await events.append([event(1), event(2)]);
  const found = [];
  for await (const some of events.find('j', { after: 0 }, 10)) found.push(...some);
  expect(found.map(({ id }) => id)).toEqual(['j:1', 'j:2']);
});
