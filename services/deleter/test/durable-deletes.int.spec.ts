import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { receipts } from '@expunge/contracts';
import { openStore } from '@expunge/runtime/store';
import { type CommandStartedEvent, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { type Database, freshDatabase } from '../../../test/support/servers.js';
import type { Scope } from '../src/records/record-filters.js';
import { RecordsRepository } from '../src/records/records.repository.js';
import type { Relay } from './relay.js';
import { asReplicaSet } from './replica-set.js';

let database: Database;
let set: { relay: Relay; url: string };
beforeAll(async () => {
  database = await freshDatabase('records');
  set = await asReplicaSet(database.url);
});
afterAll(async () => {
  await set.relay.close();
  await database.drop();
});

/** What the deleter's own delete of a record tells the server about its durability, and how many went. */
async function deleteBy(url: string): Promise<{ deletes: unknown[]; kind: string | undefined; left: number }> {
  const store = openStore(`${url}&monitorCommands=true`, 'test', pino({ level: 'silent' }));
  const db = store.db();
  const deletes: unknown[] = [];
  db.client.on('commandStarted', ({ commandName, command }: CommandStartedEvent) => {
    if (commandName === 'delete') deletes.push(command['writeConcern']);
  });
  let kind: string | undefined;
  db.client.on('topologyDescriptionChanged', ({ newDescription }) => (kind = newDescription.type));
  try {
    const id = new ObjectId();
    await db.collection('receipts').insertOne({ _id: id, tenantId: 'acme' });
    const records = new RecordsRepository(db, new Map([[receipts.name, receipts]]));
    const scope: Scope = { tenant: 'acme', selection: { all: true }, bound: { idAtMost: id.toHexString() } };
    const clock = await records.clock();
    const plan = {
      owner: 'me',
      until: new Date(clock.latest().getTime() + 10_000),
      records: [{ id: id.toHexString(), keys: [] }],
      failures: [],
      closesAt: id.toHexString(),
      startedAt: new Date(),
    };
    expect(await records.delete(receipts, scope, plan, clock)).toEqual({ answered: true });
    return { deletes, kind, left: await db.collection('receipts').countDocuments() };
  } finally {
    await store.close();
  }
}

it.each([
  ['', ''],
  [', whatever w its URL has', '&w=1'],
])('a delete of records waits for the journals of a majority of a replica set%s', async (_, more) => {
  expect(await deleteBy(set.url + more)).toEqual({
    deletes: [{ w: 'majority', j: true }],
    kind: 'ReplicaSetWithPrimary',
    left: 0,
  });
});

it('a delete of records waits for the journal of a server that stands alone', async () => {
  expect(await deleteBy(database.url)).toEqual({ deletes: [{ w: 1, j: true }], kind: 'Single', left: 0 });
});
