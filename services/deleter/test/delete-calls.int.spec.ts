import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { receipts, type ResourceDefinition } from '@expunge/contracts';
import { openStore, type Store } from '@expunge/runtime/store';
import { type Collection, MongoClient, type ObjectId } from 'mongodb';
import { pino } from 'pino';
import type { Plan } from '../src/deletion-job/deletion-job.js';
import { deleteRecords } from '../src/records/delete-records.js';
import type { Scope } from '../src/records/record-filters.js';
import { RecordsRepository } from '../src/records/records.repository.js';
import { fill, keyOf, World } from './deleters.js';
import { intercept } from './intercept.js';
import { RefusingServer } from './refusing-server.js';
import { passed, until } from './until.js';

/** So many that their delete is made in two calls. */
const MANY = 600;
const resource: ResourceDefinition = receipts;

let world: World;
let server: RefusingServer;
let store: Store;
let collection: Collection;
beforeAll(async () => {
  world = await World.create();
  const relay = await RefusingServer.before(world.recordsUrl);
  server = relay.server;
  store = openStore(relay.url, 'test', pino({ level: 'silent' }));
  collection = store.db().collection(resource.collection);
}, 30_000);
afterAll(async () => {
  await store.close();
  await server.close();
  await world.destroy();
});
beforeEach(async () => {
  await world.reset();
  server.refuses.clear();
});

const clock = () => new RecordsRepository(store.db(), new Map()).clock();
const scopeOf = (ids: ObjectId[]): Scope => ({
  tenant: 'acme',
  selection: { all: true },
  bound: { idAtMost: String(ids.at(-1)) },
});

async function planOf(ids: ObjectId[], ms = 10_000): Promise<Plan> {
  const records = ids.map((id, place) => ({ id: String(id), keys: [keyOf(place)] }));
  const at = new Date((await clock()).latest().getTime() + ms);
  return { owner: 'me', until: at, records, failures: [], closesAt: String(ids.at(-1)), startedAt: at };
}

it('each ask for their own ids and keys, within the tenant, until the deadline', async () => {
  const ids = await fill(world.db, MANY);
  const plan = await planOf(ids);
  const client = await MongoClient.connect(world.recordsUrl, { monitorCommands: true });
  const asked: string[] = [];
  client.on('commandStarted', ({ commandName, command }) => {
    if (commandName === 'delete') asked.push(JSON.stringify(command));
  });
  const watched = client.db().collection(resource.collection);
  expect(await deleteRecords(watched, resource, scopeOf(ids), plan, await clock())).toEqual({ answered: true });
  await client.close();
  expect(await collection.countDocuments()).toBe(0);
  expect(asked).toHaveLength(2);
  const halves = [ids.slice(0, MANY / 2), ids.slice(MANY / 2)];
  for (const [call, half] of halves.entries()) {
    const text = asked[call] ?? '';
    expect(text).toMatch(/"tenantId":{"\$eq":"acme"}/);
    expect(text).toContain(JSON.stringify({ $lt: ['$$NOW', plan.until] }));
    const others = (halves[1 - call] ?? []).slice(0, -1);
    expect([half, others].map((wanted) => wanted.filter((id) => text.includes(String(id))).length)).toEqual([300, 0]);
    expect(text.match(/tenants\/acme/g)).toHaveLength(2 * 300);
  }
});

it('are both waited for, though the first is refused', async () => {
  const ids = await fill(world.db, MANY);
  server.refuses.add(String(ids[7]));
  const order: string[] = [];
  const gate = Promise.withResolvers<undefined>();
  const slow = intercept(collection, 'deleteMany', async (real, ...args) => {
    const isSecond = JSON.stringify(args).includes(String(ids[MANY / 2]));
    if (isSecond) await gate.promise;
    return real(...args).finally(() => order.push(isSecond ? 'second' : 'first'));
  });
  const plan = await planOf(ids);
  const outcome = deleteRecords(slow, resource, scopeOf(ids), plan, await clock()).finally(() => order.push('outcome'));
  await until(() => Promise.resolve(order[0] ?? null));
  gate.resolve(undefined);
  expect(await outcome).toMatchObject({ answered: true, refused: { code: expect.any(String) } });
  expect(order).toEqual(['first', 'second', 'outcome']);
  // What comes before the refused one, and all of the other call, is gone.
  expect(await collection.countDocuments()).toBe(MANY / 2 - 7);
});

it('say nothing of the plan when one of them came too late', async () => {
  const ids = await fill(world.db, MANY);
  const plan = await planOf(ids, 500);
  const slow = intercept(collection, 'deleteMany', async (real, ...args) => {
    if (JSON.stringify(args).includes(String(ids[MANY / 2]))) await passed(new Date(plan.until.getTime() + 100));
    return real(...args);
  });
  expect(await deleteRecords(slow, resource, scopeOf(ids), plan, await clock())).toEqual({ answered: false });
  expect(await collection.countDocuments()).toBe(MANY / 2);
});
