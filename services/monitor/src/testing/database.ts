import { randomBytes } from 'node:crypto';
import { openStore, type Store } from '@expunge/runtime';
import type mongoose from 'mongoose';
import { pino } from 'pino';

export const silent = pino({ level: 'silent' });

/** A database of one test's own on the engine that the integration tests share. */
export interface TestDatabase {
  store: Store;
  db: mongoose.mongo.Db;
  drop(): Promise<void>;
}

export function openTestDatabase(name: string): TestDatabase {
  const url = process.env.EXPUNGE_TEST_MONGODB_URL;
  if (url === undefined) throw new Error('EXPUNGE_TEST_MONGODB_URL is not set: run it as an integration test');
  const store = openStore(url, 'test', silent);
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
