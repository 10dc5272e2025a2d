import './one-realm.js';
import { createHash } from 'node:crypto';
import { Readiness } from '@expunge/runtime';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { objectStore, unique } from '../../../test/support/servers.js';
import { BucketReadiness } from '../src/object-store/bucket-readiness.js';
import { S3ObjectStore } from '../src/object-store/s3-object-store.adapter.js';
import type { ByCode, PurgeOutcome } from '../src/purge/purge-outcome.js';
import { PurgeService } from '../src/purge/purge.service.js';
import { type Bucket, openBucket } from './bucket.js';
import {
  type Behaviour,
  deleteResult,
  errorXml,
  type Met,
  type MisbehavingStore,
  startMisbehavingStore,
} from '../../../test/support/misbehaving-store.js';

const TIMEOUT_MS = 2_000;
const answer = (status: number, body: string): Behaviour => ({ does: 'answer', status, body });
const codes = (byCode: ByCode) => Object.fromEntries([...byCode].map(([code, { positions }]) => [code, positions]));
const plain = ({ purged, permanent, transient }: PurgeOutcome) => ({
  purged,
  permanent: codes(permanent),
  transient: codes(transient),
});

describe('through a store that misbehaves', () => {
  let faulty: MisbehavingStore;
  let store: S3ObjectStore;
  let bucket: Bucket;
  beforeAll(async () => {
    const real = { ...objectStore(), forcePathStyle: true, deleteChecksum: 'crc32', timeoutMs: TIMEOUT_MS } as const;
    faulty = await startMisbehavingStore(real.endpoint);
    store = new S3ObjectStore({ ...real, endpoint: faulty.endpoint });
    bucket = openBucket(real);
  });
  afterAll(async () => {
    store.close();
    bucket.close();
    await faulty.close();
  });

  const purge = async (keys: string[]) =>
    plain(await new PurgeService(store).purge(keys.map((key, position) => ({ position, key }))));
  /** As `purge`, and how long it took. */
  const timed = async (keys: string[]) => {
    const began = performance.now();
    return { outcome: await purge(keys), tookMs: performance.now() - began };
  };
  /** As the heartbeat carries it. */
  const problemWith = async (asked: S3ObjectStore) => {
    const readiness = new Readiness();
    const bucket = new BucketReadiness(asked);
    readiness.register('bucket', () => bucket.check());
    return (await readiness.report()).checks['bucket'];
  };
  const names = (count: number) => Array.from({ length: count }, (_, i) => `k${i}`);

  test('the refused keys of a 200 are not taken for purged', async () => {
    faulty.behave(({ keys }) =>
      deleteResult(keys, (key) => {
        if (key === 'k1') return { code: 'AccessDenied' };
        if (key === 'k2') return { code: 'InternalError' };
        return key === 'k4' ? { code: 'ObjectLockedByBucketPolicy' } : 'deleted';
      }),
    );
    expect(await purge(names(6))).toEqual({
      purged: [
        [0, 0],
        [3, 3],
        [5, 5],
      ],
      permanent: { AccessDenied: [[1, 1]], ObjectLockedByBucketPolicy: [[4, 4]] },
      transient: { InternalError: [[2, 2]] },
    });
    expect(faulty.met).toHaveLength(1);
  });

  test('the keys that a 200 leaves out are not taken for purged', async () => {
    faulty.behave(({ keys }) => deleteResult(keys, (key) => (key === 'k0' ? 'deleted' : 'silence')));
    expect(await purge(names(3))).toEqual({ purged: [[0, 0]], permanent: {}, transient: { NOT_ANSWERED: [[1, 2]] } });
  });

  test.each<[string, Behaviour, code: string]>([
    ['503 SlowDown', answer(503, errorXml('SlowDown')), 'SlowDown'],
    ['503 without a body', answer(503, ''), 'HTTP_503'],
    ['429 TooManyRequests', answer(429, errorXml('TooManyRequests')), 'TooManyRequests'],
    ['500 InternalError', answer(500, errorXml('InternalError')), 'InternalError'],
    ['502 and a page of a proxy', answer(502, '<html><body>Bad <b>gateway</html>'), 'HTTP_502'],
    ['404 NoSuchBucket', answer(404, errorXml('NoSuchBucket')), 'NoSuchBucket'],
    ['400 InvalidRequest', answer(400, errorXml('InvalidRequest')), 'InvalidRequest'],
    ['a connection reset each time', { does: 'reset' }, 'CONNECTION_RESET'],
  ])('%s leaves all keys to be tried again, later', async (_what, behaviour, code) => {
    faulty.behave(() => behaviour);
    expect(await purge(names(3))).toEqual({ purged: [], permanent: {}, transient: { [code]: [[0, 2]] } });
    expect(faulty.met).toHaveLength(behaviour.does === 'reset' ? 2 : 1);
  });

  test('a busy store that says when to come back does not hold the call', async () => {
    const headers = { 'retry-after': '60' };
    faulty.behave(() => ({ does: 'answer', status: 503, body: errorXml('SlowDown'), headers }));
    expect((await purge(names(3))).transient).toEqual({ SlowDown: [[0, 2]] });
  });

  test.each([
    ['a 200 that is an error', answer(200, errorXml('InternalError'))],
    ['a 200 that is no XML', answer(200, 'It works!')],
    ['a 200 that is empty', answer(200, '')],
  ])('%s purges nothing and gives nothing up', async (_what, behaviour) => {
    faulty.behave(() => behaviour);
    const { purged, permanent, transient } = await purge(names(2));
    expect([purged, permanent]).toEqual([[], {}]);
    expect(Object.values(transient)).toEqual([[[0, 1]]]);
  });

  test.each([
    ['403 AccessDenied', answer(403, errorXml('AccessDenied')), 'AccessDenied'],
    ['403 without a body', answer(403, ''), 'HTTP_403'],
  ])('%s of the whole call fails all its keys, with the code', async (_what, behaviour, code) => {
    faulty.behave(() => behaviour);
    expect(await purge(names(3))).toEqual({ purged: [], permanent: { [code]: [[0, 2]] }, transient: {} });
  });

  test('a connection that is reset once costs nothing', async () => {
    const key = `${unique('tenants')}/a`;
    await bucket.fill([key]);
    faulty.behave((_, n) => ({ does: n === 1 ? 'reset' : 'pass' }));
    expect((await purge([key])).purged).toEqual([[0, 0]]);
    expect(await bucket.has(key)).toBe(false);
  });

  test.each<[string, Behaviour]>([
    ['takes the request and never answers', { does: 'nothing' }],
    ['begins an answer and never ends it', { does: 'half' }],
  ])('a store that %s is given up in time', async (_what, behaviour) => {
    faulty.behave(() => behaviour);
    const { outcome, tookMs } = await timed(names(3));
    expect(outcome).toEqual({ purged: [], permanent: {}, transient: { TIMEOUT: [[0, 2]] } });
    expect(tookMs).toBeGreaterThan(TIMEOUT_MS * 0.9);
    expect(tookMs).toBeLessThan(TIMEOUT_MS * 3);
  });

  test('a store that is silent costs one wait, however many calls the batch takes', async () => {
    faulty.behave(() => ({ does: 'nothing' }));
    const { outcome, tookMs } = await timed(names(20_000));
    expect(outcome.transient).toEqual({ TIMEOUT: [[0, 19_999]] });
    expect(faulty.met.length).toBeLessThanOrEqual(4);
    expect(tookMs).toBeLessThan(TIMEOUT_MS * 3);
  });

  test.each<[string, Behaviour, problem: object]>([
    ['403 AccessDenied', answer(403, errorXml('AccessDenied')), { code: 'AccessDenied', status: 403 }],
    ['403 without a body', answer(403, ''), { code: 'HTTP_403', status: 403 }],
    ['a wrong secret', answer(403, errorXml('SignatureDoesNotMatch')), { code: 'SignatureDoesNotMatch', status: 403 }],
    ['503 SlowDown', answer(503, errorXml('SlowDown')), { code: 'SlowDown', status: 503 }],
    ['503 without a body', answer(503, ''), { code: 'HTTP_503', status: 503 }],
    ['429 TooManyRequests', answer(429, errorXml('TooManyRequests')), { code: 'TooManyRequests', status: 429 }],
    ['no answer', { does: 'nothing' }, { code: 'TIMEOUT' }],
    ['half an answer', { does: 'half' }, { code: 'TIMEOUT' }],
    ['a reset', { does: 'reset' }, { code: 'CONNECTION_RESET' }],
  ])('readiness tells of %s', async (_what, behaviour, problem) => {
    faulty.behave(() => behaviour);
    expect(await problemWith(store)).toEqual({ message: expect.any(String) as unknown, ...problem });
    expect(faulty.met.every(({ method, path }) => method === 'GET' && path.includes('/.expunge/probe'))).toBe(true);
  });

  test('readiness tells of a store that is away, and of no other trouble with one that answers', async () => {
    const gone = await startMisbehavingStore('http://127.0.0.1:9');
    await gone.close();
    const real = { ...objectStore(), forcePathStyle: true, deleteChecksum: 'crc32', timeoutMs: TIMEOUT_MS } as const;
    const away = new S3ObjectStore({ ...real, endpoint: gone.endpoint });
    expect(await problemWith(away)).toEqual({ code: 'UNREACHABLE', message: expect.any(String) as unknown });
    away.close();
    faulty.behave(() => ({ does: 'pass' }));
    expect(await problemWith(store)).toBeNull();
  });

  test('of a call that cannot be read only the key at fault fails', async () => {
    faulty.behave(({ keys }) =>
      keys.includes('k613') ? answer(400, errorXml('MalformedXML')) : deleteResult(keys, () => 'deleted'),
    );
    expect(await purge(names(1000))).toEqual({
      purged: [
        [0, 612],
        [614, 999],
      ],
      permanent: { MalformedXML: [[613, 613]] },
      transient: {},
    });
    expect(faulty.met.length).toBeLessThan(25);
  });

  test('a store that cannot read a question without keys either does not mean the keys', async () => {
    faulty.behave(() => answer(400, errorXml('InvalidArgument')));
    expect(await purge(['a', 'b', 'c '])).toEqual({
      purged: [],
      permanent: {},
      transient: { SET_UP_InvalidArgument: [[0, 2]] },
    });
    expect(faulty.met.length).toBeLessThanOrEqual(4);
  });

  test('a key at fault is found by somebody who may delete and not list, too', async () => {
    faulty.behave(({ method, keys }) => {
      if (method === 'GET') return answer(403, errorXml('AccessDenied'));
      return keys.includes('k1') ? answer(400, errorXml('InvalidArgument')) : deleteResult(keys, () => 'deleted');
    });
    expect(await purge(names(3))).toEqual({
      purged: [
        [0, 0],
        [2, 2],
      ],
      permanent: { InvalidArgument: [[1, 1]] },
      transient: {},
    });
  });

  test('a store that knows no missing objects calls one purged all the same', async () => {
    faulty.behave(() => answer(404, errorXml('NoSuchKey')));
    expect((await purge(['alone '])).purged).toEqual([[0, 0]]);
  });

  test('a call that fails leaves what the others of its batch did', async () => {
    faulty.behave(({ keys }) =>
      keys.includes('k1500') ? answer(503, errorXml('SlowDown')) : deleteResult(keys, () => 'deleted'),
    );
    expect(await purge(names(2500))).toEqual({
      purged: [
        [0, 999],
        [2000, 2499],
      ],
      permanent: {},
      transient: { SlowDown: [[1000, 1999]] },
    });
  });

  test('a call names at most 1,000 keys, asks for every answer, and vouches for its body', async () => {
    faulty.behave(({ keys }) => deleteResult(keys, () => 'deleted'));
    expect((await purge(names(2500))).purged).toEqual([[0, 2499]]);
    expect(faulty.met.map(({ keys }) => keys.length).toSorted()).toEqual([1000, 1000, 500]);
    for (const { body, headers } of faulty.met) {
      expect(body.toString()).not.toContain('Quiet');
      expect(headers['x-amz-checksum-crc32']).toBeDefined();
    }
  });

  test('a store that knows only md5 gets that', async () => {
    const real = { ...objectStore(), forcePathStyle: true, timeoutMs: TIMEOUT_MS };
    const another = new S3ObjectStore({ ...real, endpoint: faulty.endpoint, deleteChecksum: 'md5' });
    faulty.behave(({ keys }) => deleteResult(keys, () => 'deleted'));
    await another.deleteMany(['a']);
    another.close();
    const [{ headers, body }] = faulty.met as [Met];
    expect(headers['content-md5']).toBe(createHash('md5').update(body).digest('base64'));
    expect(headers['x-amz-checksum-crc32']).toBeUndefined();
  });
});
