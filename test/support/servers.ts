import { randomBytes } from 'node:crypto';
import { createVhost, databaseUrl, type ObjectStore, type Vhost } from '@expunge/local-stack';
import { MongoClient } from 'mongodb';

/** The broker, database and bucket that start-servers.ts keeps for the integration tests. */

export interface Database {
  readonly url: string;
  drop(): Promise<void>;
}

export const managementUrl = (): string => given('RABBITMQ_MANAGEMENT_URL');

/** A vhost of this test file's own on the shared broker. */
export function freshVhost(): Promise<Vhost> {
  return createVhost(given('RABBITMQ_URL'), managementUrl(), unique('vhost'));
}

/** A database of this test file's own on the shared engine; `name` only makes it easier to recognise. */
export function freshDatabase(name = 'db'): Promise<Database> {
  const url = databaseUrl(given('MONGODB_URL'), unique(name));
  return Promise.resolve({ url, drop: () => drop(url) });
}

/** The shared bucket; keys under a prefix of one's own (`unique`) are nobody else's. */
export function objectStore(): ObjectStore {
  return {
    endpoint: given('S3_ENDPOINT'),
    region: given('S3_REGION'),
    bucket: given('S3_BUCKET'),
    accessKeyId: given('S3_ACCESS_KEY_ID'),
    secretAccessKey: given('S3_SECRET_ACCESS_KEY'),
  };
}

/** Another bucket of the same store. */
export const otherBucket = (): string => given('S3_OTHER_BUCKET');

export function unique(name: string): string {
  return `${name}-${randomBytes(6).toString('hex')}`;
}

async function drop(url: string): Promise<void> {
  const client = await MongoClient.connect(url);
  await client.db().dropDatabase();
  await client.close();
}

function given(name: string): string {
  const value = process.env[`EXPUNGE_TEST_${name}`];
  if (value === undefined) throw new Error(`EXPUNGE_TEST_${name} is not set: run it as an integration test`);
  return value;
}
