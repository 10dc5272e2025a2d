import './one-realm.js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { objectStore, unique } from '../../../test/support/servers.js';
import { S3ObjectStore, type S3Options } from '../src/object-store/s3-object-store.adapter.js';
import { PurgeService } from '../src/purge/purge.service.js';
import { type Bucket, openBucket } from './bucket.js';

const options = (): S3Options => ({
  ...objectStore(),
  forcePathStyle: true,
  deleteChecksum: 'crc32',
  timeoutMs: 10_000,
});
const targetsOf = (keys: string[]) => keys.map((key, position) => ({ position, key }));

describe('on the R2 simulator', () => {
  let bucket: Bucket;
  const stores: S3ObjectStore[] = [];
  const open = (different: Partial<S3Options> = {}) => {
    const store = new S3ObjectStore({ ...options(), ...different });
    stores.push(store);
    return store;
  };
  beforeAll(() => {
    bucket = openBucket(options());
  });
  afterAll(() => {
    bucket.close();
    for (const store of stores) store.close();
  });

  test.each(['crc32', 'md5'] as const)('purges what is there and what is not, and nothing else (%s)', async (sum) => {
    const prefix = `${unique('tenants')}/`;
    const keys = ['a.jpg', 'b & <c>.csv', 'é/日本.png', '007', '../up', '__proto__'].map((name) => prefix + name);
    await bucket.fill([`${prefix}a.jpg`, `${prefix}007`, `${prefix}a.jpg.bak`]);
    const outcome = await new PurgeService(open({ deleteChecksum: sum })).purge(targetsOf(keys));
    expect(outcome).toEqual({ purged: [[0, 5]], permanent: new Map(), transient: new Map() });
    expect(await bucket.list(prefix)).toEqual([`${prefix}a.jpg.bak`]);
  });

  test('a key that ends in a space is deleted, and not the one without', async () => {
    const prefix = `${unique('tenants')}/`;
    await bucket.fill([`${prefix}a`, `${prefix}a `]);
    const outcome = await new PurgeService(open()).purge(targetsOf([`${prefix}a `]));
    expect(outcome.purged).toEqual([[0, 0]]);
    expect(await bucket.list(prefix)).toEqual([`${prefix}a`]);
  });

  test('the bulk call alone would have deleted the one without: the reason for the above', async () => {
    const prefix = `${unique('tenants')}/`;
    await bucket.fill([`${prefix}a`, `${prefix}a `]);
    const answer = await open().deleteMany([`${prefix}a `]);
    expect(answer).toEqual({ kind: 'answered', deleted: [`${prefix}a`], errors: [] });
    expect(await bucket.list(prefix)).toEqual([`${prefix}a `]);
  });

  test('a key too long to exist does not keep the others from being purged', async () => {
    const prefix = `${unique('tenants')}/`;
    await bucket.fill([`${prefix}a`]);
    const outcome = await new PurgeService(open()).purge(targetsOf([`${prefix}a`, prefix + 'x'.repeat(1024)]));
    expect(outcome.purged).toEqual([[0, 0]]);
    expect([...outcome.permanent.keys()]).toEqual(['KeyTooLongError']);
    expect(await bucket.has(`${prefix}a`)).toBe(false);
  });

  test.each<[string, Partial<S3Options>, 'transient', string]>([
    ['a wrong secret', { secretAccessKey: 'f'.repeat(64) }, 'transient', 'SignatureDoesNotMatch'],
    ['an unknown access key', { accessKeyId: 'f'.repeat(32) }, 'transient', 'Unauthorized'],
    ['a bucket that is not there', { bucket: 'nowhere' }, 'transient', 'NoSuchBucket'],
    ['nobody at the port', { endpoint: 'http://127.0.0.1:1' }, 'transient', 'UNREACHABLE'],
    ['a host without address', { endpoint: 'http://store.invalid' }, 'transient', 'UNREACHABLE'],
  ])('%s: the objects stay, with the code', async (_what, different, kind, code) => {
    const key = `${unique('tenants')}/a`;
    await bucket.fill([key]);
    const store = open(different);
    const outcome = await new PurgeService(store).purge(targetsOf([key, `${key}2`]));
    expect([...outcome[kind]].map(([c, { positions }]) => [c, positions])).toEqual([[code, [[0, 1]]]]);
    expect(outcome.purged).toEqual([]);
    expect(await bucket.has(key)).toBe(true);
    expect((await store.probe())?.code).toBe(code);
  });

  test('the probe finds nothing wrong with a bucket that answers', async () => {
    expect(await open().probe()).toBeNull();
  });

  test('a call right after an error answer is carried out', async () => {
    const store = open();
    const key = `${unique('tenants')}/a`;
    for (let i = 0; i < 5; i++) {
      await bucket.fill([key]);
      const tooMany = Array.from({ length: 1001 }, (_, n) => `${key}/${n}`);
      expect(await store.deleteMany(tooMany)).toMatchObject({ kind: 'refused', refusal: { code: 'MalformedXML' } });
      expect(await store.deleteMany([key])).toEqual({ kind: 'answered', deleted: [key], errors: [] });
    }
  });
});
