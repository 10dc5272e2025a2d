import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { TransientError } from '@expunge/messaging';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { Door } from '../../../test/support/door.js';
import { type Database, freshDatabase } from '../../../test/support/servers.js';
import { problemOf } from '../src/problem.js';
import { asStoreError, openStore, type Store } from '../src/store.js';

let database: Database;
let door: Door;
let store: Store;

beforeEach(async () => {
  database = await freshDatabase('store');
  door = new Door(database.url);
  store = openStore(door.url, 'test', pino({ level: 'silent' }));
});
afterEach(async () => {
  await store.close();
  await door.shut();
  await database.drop();
});

/** The store's own ends of its connections. */
const sockets = new Set<Socket>();
const note = (message: unknown) => void sockets.add((message as { socket: Socket }).socket);
beforeAll(() => {
  subscribe('net.client.socket', note);
});
afterAll(() => {
  unsubscribe('net.client.socket', note);
});

const insert = () => asStoreError('AWAY', () => store.db().collection('things').insertOne({ at: new Date() }));

async function untilWritten(): Promise<void> {
  const end = Date.now() + 15_000;
  for (;;) {
    try {
      await insert();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

describe('a ping', () => {
  const problem = async () => {
    try {
      await store.ping();
      return null;
    } catch (error) {
      return problemOf(error);
    }
  };
  async function untilSaid(code: string | null): Promise<void> {
    const end = Date.now() + 20_000;
    for (let said = await problem(); said?.code !== (code ?? undefined); said = await problem()) {
      if (Date.now() > end) throw new Error(`the last one says ${JSON.stringify(said)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  it('tells a server that is away from one that is silent, whether it was there before or not', async () => {
    await untilSaid('UNREACHABLE');
    expect((await problem())?.message).toContain('ENOENT');
    await door.open();
    await untilSaid(null);
    door.hold();
    expect(await problem()).toMatchObject({ code: 'TIMEOUT' });
    await door.shut();
    await untilSaid('UNREACHABLE');
    await door.open();
    await untilSaid(null);
  }, 90_000);

  it('tells a server that is silent from the start', async () => {
    door.hold();
    await door.open();
    await untilSaid('TIMEOUT');
    // Longer than the driver looks for a server before it gives up and begins anew.
    for (const end = Date.now() + 5_000; Date.now() < end;) expect(await problem()).toMatchObject({ code: 'TIMEOUT' });
  }, 60_000);
});

describe('a store', () => {
  it('opened before its server is there works once it is', async () => {
    await expect(insert()).rejects.toBeInstanceOf(TransientError);
    await door.open();
    await untilWritten();
  }, 30_000);

  it('says that it is away while its server is unreachable, and works again after', async () => {
    await door.open();
    await untilWritten();
    await door.shut();
    await expect(insert()).rejects.toMatchObject({ name: 'TransientError', code: 'AWAY' });
    await door.open();
    await untilWritten();
  }, 30_000);

  it('says that it is away of a bulk write, too, which its driver tells in another way', async () => {
    await door.open();
    await untilWritten();
    door.cutOn = 'insert';
    const things = store.db().collection('things');
    const bulk = asStoreError('AWAY', () => things.insertMany([{ at: new Date() }], { ordered: false }));
    await expect(bulk).rejects.toMatchObject({ name: 'TransientError', code: 'AWAY' });
  }, 30_000);

  it('ends an operation whose connection ends while its command is prepared', async () => {
    await door.open();
    await untilWritten();
    const cut = {
      toBSON: () => {
        for (const socket of sockets) socket.destroy();
        return 1;
      },
    };
    const cutShort = asStoreError('AWAY', () => store.db().collection('things').insertOne({ cut }));
    await expect(cutShort).rejects.toMatchObject({ name: 'TransientError', code: 'AWAY' });
    await untilWritten();
  }, 30_000);

  it('leaves an error that is no outage as it is', async () => {
    await door.open();
    await untilWritten();
    const bad = asStoreError('AWAY', () => store.db().collection('things').findOne({ $nonsense: 1 }));
    await expect(bad).rejects.not.toBeInstanceOf(TransientError);
  });
});
