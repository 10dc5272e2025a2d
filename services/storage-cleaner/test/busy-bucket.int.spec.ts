import './one-realm.js';
import { until } from '@expunge/local-stack';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { errorXml, type MisbehavingStore, startMisbehavingStore } from '../../../test/support/misbehaving-store.js';
import { objectStore, otherBucket, unique } from '../../../test/support/servers.js';
import { CallLimits } from '../src/object-store/call-limit.js';
import { S3ObjectStore } from '../src/object-store/s3-object-store.adapter.js';
import { PurgeService } from '../src/purge/purge.service.js';

let faulty: MisbehavingStore;
let store: S3ObjectStore;
const limits = new CallLimits(pino({ level: 'silent' }));
beforeAll(async () => {
  const real = { ...objectStore(), forcePathStyle: true, deleteChecksum: 'crc32', timeoutMs: 10_000 } as const;
  faulty = await startMisbehavingStore(real.endpoint);
  store = new S3ObjectStore({ ...real, endpoint: faulty.endpoint });
});
afterAll(async () => {
  store.close();
  await faulty.close();
});

/** Keys of a call each, since each ends in a space. */
const targets = () => Array.from({ length: 12 }, (_, position) => ({ position, key: `${unique('k')}${position} ` }));
const purge = (bucket?: string) => new PurgeService(store.inBucket(bucket), limits.of(bucket)).purge(targets());
const deletes = () => faulty.met.filter(({ method }) => method === 'DELETE').length;

/** How many of twelve calls are on their way while none of them is answered. */
async function atOnce(atLeast: number, bucket?: string): Promise<number> {
  let answer: () => void = () => undefined;
  const after = new Promise<void>((resolve) => (answer = resolve));
  faulty.behave(({ method }) => (method === 'DELETE' ? { does: 'pass', after } : { does: 'pass' }));
  const purging = purge(bucket);
  await until('calls on their way', () => deletes() >= atLeast, 5000);
  // Whatever was sent with them has come by now, too.
  await store.probe();
  const seen = deletes();
  answer();
  expect((await purging).purged).toEqual([[0, 11]]);
  return seen;
}

test('a bucket that is busy is asked half as much at once, each bucket by itself, and more again later', async () => {
  const before = await atOnce(4);
  expect(before).toBe(4);
  // By then it had shown that it takes one or two more.
  faulty.behave(() => ({ does: 'answer', status: 503, body: errorXml('SlowDown') }));
  expect([...(await purge()).transient.keys()]).toEqual(['SlowDown']);
  expect(deletes()).toBeLessThanOrEqual(6);
  const halved = await atOnce(2);
  expect([2, 3]).toContain(halved);
  expect(await atOnce(4, otherBucket())).toBe(4);
  expect(await atOnce(halved + 1)).toBeGreaterThan(halved);
});
