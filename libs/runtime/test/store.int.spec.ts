import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TransientError } from '@expunge/messaging';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type Database, freshDatabase, unique } from '../../../test/support/servers.js';
import { asStoreError, openStore, type Store } from '../src/store.js';

/** A door in front of the real engine, that can be shut: the server is then unreachable, and what was open is cut. */
class Door {
  readonly path = join(tmpdir(), `${unique('door')}.sock`);
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();

  constructor(private readonly enginePath: string) {}

  open(): Promise<void> {
    this.server = createServer((inside) => {
      const outside = connect(this.enginePath);
      for (const socket of [inside, outside]) {
        this.sockets.add(socket);
        socket.on('error', () => socket.destroy());
      }
      inside.on('close', () => outside.destroy());
      outside.on('close', () => inside.destroy());
      inside.pipe(outside).pipe(inside);
    });
    return new Promise((resolve) => this.server?.listen(this.path, resolve));
  }

  shut(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
    return new Promise((resolve) => (this.server ? this.server.close(() => resolve()) : resolve()));
  }
}

let database: Database;
let door: Door;
let store: Store;

beforeEach(async () => {
  database = await freshDatabase('store');
  const engine = decodeURIComponent(/^mongodb:\/\/([^/]+)\//.exec(database.url)?.[1] ?? '');
  door = new Door(engine);
  store = openStore(
    database.url.replace(encodeURIComponent(engine), encodeURIComponent(door.path)),
    'test',
    pino({ level: 'silent' }),
  );
});
afterEach(async () => {
  await store.close();
  await door.shut();
  await database.drop();
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
    await expect(store.ping()).rejects.toThrow();
    await door.open();
    await untilWritten();
  }, 30_000);

  it('leaves an error that is no outage as it is', async () => {
    await door.open();
    await untilWritten();
    const bad = asStoreError('AWAY', () => store.db().collection('things').findOne({ $nonsense: 1 }));
    await expect(bad).rejects.not.toBeInstanceOf(TransientError);
  });
});
