import './one-realm.js';
import {
  type AnyMessage,
  type InBucket,
  inBucket,
  type KeysOfBatch,
  ObjectCheckRequested,
  PurgeRequested,
  ResourceCheckRequested,
} from '@expunge/contracts';
import { until } from '@expunge/local-stack';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  errorXml,
  type MisbehavingStore,
  startMisbehavingStore,
  xml,
} from '../../../test/support/misbehaving-store.js';
import { freshVhost, objectStore, otherBucket, unique } from '../../../test/support/servers.js';
import { batchDeleted, type Broker, envelope, openBroker } from './broker.js';
import { type Bucket, openBucket } from './bucket.js';
import { type CleanerProcess, startCleaner } from './cleaner-process.js';

jest.setTimeout(60_000);

describe('where a resource names its bucket, the storage-cleaner', () => {
  let vhost: Awaited<ReturnType<typeof freshVhost>>;
  let broker: Broker;
  let store: MisbehavingStore;
  /** S3_BUCKET, and the one that is named. */
  let own: Bucket;
  let named: Bucket;
  let cleaner: CleanerProcess;
  let job: string;
  let keys: string[];

  beforeAll(async () => {
    const real = { ...objectStore(), forcePathStyle: true, deleteChecksum: 'crc32', timeoutMs: 10_000 } as const;
    vhost = await freshVhost();
    [broker, store] = await Promise.all([openBroker(vhost.url), startMisbehavingStore(real.endpoint)]);
    [own, named] = [openBucket(real), openBucket({ ...real, bucket: otherBucket() })];
    cleaner = await startCleaner({
      RABBITMQ_URL: vhost.url,
      S3_ENDPOINT: store.endpoint,
      S3_BUCKET: real.bucket,
      S3_ACCESS_KEY_ID: real.accessKeyId,
      S3_SECRET_ACCESS_KEY: real.secretAccessKey,
      S3_TIMEOUT: '2s',
    });
    await until('a ready cleaner', async () => (await cleaner.ready()).status === 200, 20_000);
  });
  afterAll(async () => {
    await cleaner.end('SIGTERM');
    await broker.close();
    own.close();
    named.close();
    await store.close();
    await vhost.drop();
  });
  beforeEach(async () => {
    job = unique('job');
    keys = Array.from({ length: 20 }, (_, i) => `tenants/${job}/${String(i).padStart(2, '0')}`);
    await Promise.all([own.fill(keys), named.fill(keys)]);
  });
  afterEach(() => store.behave(() => ({ does: 'pass' })));

  const heard = <T extends AnyMessage['type']>(type: T) =>
    broker.events.filter(
      (event): event is Extract<AnyMessage, { type: T }> => event.subject === job && event.type === type,
    );
  const left = async () => [await own.list(`tenants/${job}/`), await named.list(`tenants/${job}/`)];

  test('deletes there alone, also what the store was too busy for at first', async () => {
    let busy = true;
    store.behave(({ keys: asked }) => {
      if (asked.length === 0 || !busy) return { does: 'pass' };
      busy = false;
      return { does: 'answer', status: 503, body: errorXml('SlowDown') };
    });
    await broker.publisher.publish(batchDeleted(job, 1, keys, otherBucket()));
    await until('the report', () => heard('ObjectsPurged').length === 1, 20_000);
    expect(heard('ObjectPurgeDelayed')).toHaveLength(1);
    expect(await left()).toEqual([keys, []]);
  });

  test('deletes there alone what a retry asks for', async () => {
    const data = { batch: 1, positions: [[3, 4]] as [number, number][], objectKeys: keys.slice(3, 5), round: 1 };
    const since = new Date().toISOString();
    await broker.publisher.publish(
      PurgeRequested.create({ ...envelope(job, 'again'), data: { ...data, since, bucket: otherBucket() } }),
    );
    await until('the report', () => heard('ObjectsPurged').length === 1, 20_000);
    expect(await left()).toEqual([keys, keys.filter((_, i) => i !== 3 && i !== 4)]);
  });

  test('deletes in S3_BUCKET alone where none is named', async () => {
    await broker.publisher.publish(batchDeleted(job, 1, keys));
    await until('the report', () => heard('ObjectsPurged').length === 1, 20_000);
    expect(await left()).toEqual([[], keys]);
  });

  test('waits for a bucket that is not there, and is ready all the same', async () => {
    await broker.publisher.publish(batchDeleted(job, 1, keys, 'nowhere'));
    await until('a wait', () => heard('ObjectPurgeDelayed').length > 0, 20_000);
    expect(heard('ObjectPurgeDelayed')[0]?.data.code).toBe('NoSuchBucket');
    expect((await cleaner.ready()).status).toBe(200);
    expect(await left()).toEqual([keys, keys]);
  });

  test('looks for each key in the bucket of its batch', async () => {
    const gone = keys.slice(0, 2);
    await broker.publisher.publish(batchDeleted(job, 1, gone, otherBucket()));
    await until('the report', () => heard('ObjectsPurged').length === 1, 20_000);
    const batchIn = (batch: number, bucket?: string): KeysOfBatch & InBucket => ({
      batch,
      positions: [[0, 1]],
      objectKeys: gone,
      ...inBucket(bucket),
    });
    const data = { finished: 4, chunk: 1, batches: [batchIn(1, otherBucket()), batchIn(2)] };
    await broker.publisher.publish(ObjectCheckRequested.create({ ...envelope(job, 'check'), data }));
    await until('the answer', () => heard('ObjectsChecked').length === 1, 20_000);
    expect(heard('ObjectsChecked')[0]?.data).toMatchObject({
      checked: 4,
      present: [{ batch: 2, positions: [[0, 1]], objectKeys: gone }],
    });
  });

  test('is asked whether it can delete there, and tells of that bucket', async () => {
    const versioned = xml('<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');
    store.behave(({ path }) =>
      path.includes(`/${otherBucket()}`) && path.includes('versioning')
        ? { does: 'answer', status: 200, body: versioned }
        : { does: 'pass' },
    );
    const checked = async (bucket?: string) => {
      job = unique('question');
      const validUntil = new Date(Date.now() + 20_000).toISOString();
      const data = { resource: 'invoices', validUntil, ...inBucket(bucket) };
      await broker.publisher.publish(ResourceCheckRequested.create({ ...envelope(job, 'asked'), data }));
      await until('the answer', () => heard('ResourceChecked').length === 1, 20_000);
      return heard('ResourceChecked')[0]?.data.checks.map(({ check, ok, detail }) => [check, ok, detail]);
    };
    expect(await checked()).toEqual([
      ['bucket', true, 'the bucket answers and lets us in'],
      ['versioning', true, 'the bucket keeps no versions'],
    ]);
    expect(await checked(otherBucket())).toEqual([
      ['bucket', true, `the bucket ${otherBucket()} answers and lets us in`],
      ['versioning', false, expect.stringMatching(/^versioning is on/)],
    ]);
    expect(await checked('nowhere')).toEqual([
      ['bucket', false, expect.stringMatching(/^NoSuchBucket/)],
      ['versioning', null, expect.stringMatching(/^NoSuchBucket/)],
    ]);
  });
});
