import { randomBytes } from 'node:crypto';
import { openStore, type Store } from '@expunge/runtime/store';
import type { Db } from 'mongodb';
import { silent, testServer } from './servers.js';

/** A database of one test's own on the engine that the integration tests share. */
export interface TestDatabase {
  store: Store;
  db: Db;
  drop(): Promise<void>;
}

export function openTestDatabase(name: string): TestDatabase {
  const store = openStore(testServer('MONGODB_URL'), 'test', silent);
  const db = store.db(`${name}-${randomBytes(6).toString('hex')}`);
  return {
    store,
    db,
    drop: async () => {
      await db.dropDatabase();
      await store.close();
    },
  };
}
