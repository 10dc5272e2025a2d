import './one-realm.js';
import {
  type AnyMessage,
  type KeysOfBatch,
  ObjectCheckRequested,
  parkedQueue,
  type Positions,
  positions,
  PurgeRequested,
  retryQueue,
  retryTiers,
  workQueues,
} from '@expunge/contracts';
import { until } from '@expunge/local-stack';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { freshVhost, objectStore, unique } from '../../../test/support/servers.js';
import { batchDeleted, type Broker, envelope, openBroker } from './broker.js';
import { type Bucket, openBucket } from './bucket.js';
import { type CleanerProcess, startCleaner } from './cleaner-process.js';
import {
  type Behaviour,
  deleteResult,
  errorXml,
  type Met,
  type MisbehavingStore,
  startMisbehavingStore,
  xml,
} from '../../../test/support/misbehaving-store.js';

jest.setTimeout(60_000);

const queue = workQueues.storageCleanerBatches.name;
type Told = Extract<AnyMessage, { type: 'ObjectsPurged' | 'ObjectPurgeDelayed' | 'ObjectPurgeFailed' }>;

describe('the storage-cleaner', () => {
  let vhost: Awaited<ReturnType<typeof freshVhost>>;
  let broker: Broker;
  let store: MisbehavingStore;
  let bucket: Bucket;
  let cleaner: CleanerProcess;
  let job: string;

  const settings = () => ({
    RABBITMQ_URL: vhost.url,
    S3_ENDPOINT: store.endpoint,
    S3_BUCKET: objectStore().bucket,
    S3_ACCESS_KEY_ID: objectStore().accessKeyId,
    S3_SECRET_ACCESS_KEY: objectStore().secretAccessKey,
    S3_TIMEOUT: '2s',
  });
  const start = async (more: Record<string, string> = {}) => {
    cleaner = await startCleaner({ ...settings(), ...more });
    await until('a ready cleaner', async () => (await cleaner.ready()).status === 200, 20_000);
  };
  beforeAll(async () => {
    const real = { ...objectStore(), forcePathStyle: true, deleteChecksum: 'crc32', timeoutMs: 10_000 } as const;
    vhost = await freshVhost();
    [broker, store] = await Promise.all([openBroker(vhost.url), startMisbehavingStore(real.endpoint)]);
    bucket = openBucket(real);
    await start();
  });
  afterAll(async () => {
    await cleaner.end('SIGTERM');
    await broker.close();
    bucket.close();
    await store.close();
    await vhost.drop();
  });
  beforeEach(() => {
    job = unique('job');
  });
  afterEach(async () => {
    store.behave(() => ({ does: 'pass' }));
    await broker.hear(true);
  });

  const told = () => broker.events.filter((event): event is Told => event.subject === job);
  const purged = (): Positions =>
    positions.union(...told().flatMap((event) => (event.type === 'ObjectsPurged' ? [event.data.positions] : [])));
  const said = () =>
    told().map(({ type, data }) => [type, positions.format(data.positions), ...('code' in data ? [data.code] : [])]);
  const waiting = async () => {
    const queues = [queue, parkedQueue(queue), ...retryTiers.map((tier) => retryQueue(queue, tier))];
    return (await Promise.all(queues.map((name) => broker.depth(name)))).reduce((sum, depth) => sum + depth, 0);
  };
  const lines = () => cleaner.lines.filter((line) => line['job'] === job).map((line) => line['msg']);
  /** Every tenth, first and last included: filling takes longer than purging, and a missing object is purged like any. */
  const sample = (keys: string[]) => keys.filter((_, i) => i % 10 === 0 || i === keys.length - 1);
  const keysOf = (count: number) => Array.from({ length: count }, (_, i) => `tenants/${job}/${i}`);

  test('purges the 2,500 objects of a batch and nothing else; delivered again it says the same again', async () => {
    const keys = keysOf(2500);
    await bucket.fill([...sample(keys), `tenants/${job}/250`.padEnd(40, 'x'), `tenants/${job}-neighbour/0`]);
    const message = batchDeleted(job, 1, keys);
    for (let copies = 1; copies <= 3; copies++) {
      await broker.publisher.publish(message);
      await until(`report ${copies}`, () => told().length === copies, 20_000);
    }
    expect(said()).toEqual(Array(3).fill(['ObjectsPurged', '0-2499']));
    expect(new Set(told().map(({ id }) => id)).size).toBe(1);
    expect(told()[0]).toMatchObject({ tenantid: 't1', data: { batch: 1 } });
    expect(await bucket.list(`tenants/${job}`)).toEqual([
      `tenants/${job}-neighbour/0`,
      `tenants/${job}/250`.padEnd(40, 'x'),
    ]);
    expect(lines().slice(0, 2)).toEqual(['batch 1 picked up', '2500 deleted, 0 failed']);
    expect(cleaner.lines.find((line) => line['job'] === job)).toMatchObject({
      queue,
      batch: 1,
      service: 'storage-cleaner',
    });
  });

  test('says nothing of a batch without objects', async () => {
    await broker.publisher.publish(batchDeleted(job, 1, []));
    await broker.publisher.publish(batchDeleted(job, 2, keysOf(1)));
    await until('the second batch', () => told().length > 0, 10_000);
    await until('an empty queue', async () => (await broker.depth(queue)) === 0, 10_000);
    expect(told().map(({ data }) => data.batch)).toEqual([2]);
  });

  test('tries again only what the store was too busy for, and says what is refused for good', async () => {
    // Not by the number of requests: the cleaner probes the bucket in between, with none.
    let wasBusy = false;
    store.behave(({ keys }) =>
      deleteResult(keys, (key) => {
        if (key.endsWith('/1')) return { code: 'AccessDenied' };
        if (wasBusy || !key.endsWith('/3')) return 'deleted';
        wasBusy = true;
        return { code: 'SlowDown' };
      }),
    );
    const keys = keysOf(5);
    await broker.publisher.publish(batchDeleted(job, 7, keys));
    await until('the whole report', () => told().length === 4, 20_000);
    expect(said()).toEqual([
      ['ObjectPurgeDelayed', '3', 'SlowDown'],
      ['ObjectsPurged', '0,2,4'],
      ['ObjectPurgeFailed', '1', 'AccessDenied'],
      ['ObjectsPurged', '3'],
    ]);
    expect(store.met.filter(({ keys: asked }) => asked.length > 0).map(({ keys: asked }) => asked)).toEqual([
      keys,
      [keys[3]],
    ]);
    expect(lines()).toContain('3 deleted, 1 failed, 1 to be tried again');
  });

  test('a batch stays one message while its delays find no queue, and ends in one report', async () => {
    const before = await waiting();
    store.behave(() => ({ does: 'answer', status: 503, body: errorXml('SlowDown') }));
    await broker.hear(false);
    await broker.publisher.publish(batchDeleted(job, 1, keysOf(3)));
    for (const [tier, attempts] of [
      [2, 1],
      [4, 2],
      [8, 3],
    ] as const) {
      await until(`a wait of ${tier} s`, async () => (await broker.depth(retryQueue(queue, tier))) > 0, 15_000);
      expect(await waiting()).toBe(before + 1);
      expect(store.met.filter(({ keys }) => keys.length > 0)).toHaveLength(attempts);
    }
    store.behave(() => ({ does: 'pass' }));
    await broker.hear(true);
    await until('the report', () => told().length > 0, 15_000);
    await until('its end', async () => (await waiting()) === before, 5_000);
    expect(said()).toEqual([['ObjectsPurged', '0-2']]);
  });

  test('gives up what was refused for longer than STORE_RETRY_FOR, with the last cause', async () => {
    store.behave(() => ({ does: 'answer', status: 503, body: errorXml('SlowDown') }));
    const since = new Date(Date.now() - 25 * 3_600_000).toISOString();
    const data = { batch: 1, positions: [[4, 5]] as Positions, objectKeys: keysOf(2), since };
    await broker.publisher.send(queue, PurgeRequested.create({ ...envelope(job, 'again'), data }), { attempt: 400 });
    await until('the end of it', () => told().length > 0, 10_000);
    expect(said()).toEqual([['ObjectPurgeFailed', '4-5', 'TIMED_OUT_SlowDown']]);
  });

  test('parks a request whose keys and positions do not match, and touches nothing', async () => {
    const [key = ''] = keysOf(1);
    await bucket.fill([key]);
    const data = { batch: 1, positions: [[0, 1]] as Positions, objectKeys: [key], since: new Date().toISOString() };
    await broker.publisher.publish(PurgeRequested.create({ ...envelope(job, 'wrong'), data }));
    await until('a parked message', async () => (await broker.depth(parkedQueue(queue))) === 1, 10_000);
    expect(await bucket.has(key)).toBe(true);
  });

  const check = (batches: KeysOfBatch[]) =>
    ObjectCheckRequested.create({ ...envelope(job, 'check'), data: { finished: 4, chunk: 1, batches } });
  const checked = () => broker.events.filter((event) => event.subject === job && event.type === 'ObjectsChecked');

  test('tells which purged objects are still there, and which the bucket would not speak of', async () => {
    const keys = keysOf(40);
    await bucket.fill([keys[0]!, keys[7]!, keys[33]!]);
    store.behave(({ path }) => (path.endsWith('/7') ? { does: 'answer', status: 403, body: '' } : { does: 'pass' }));
    const batches: KeysOfBatch[] = [
      { batch: 1, positions: [[0, 29]], objectKeys: keys.slice(0, 30) },
      { batch: 3, positions: [[5, 14]], objectKeys: keys.slice(30) },
    ];
    await broker.publisher.publish(check(batches));
    await until('the answer', () => checked().length === 1, 20_000);
    expect(checked()[0]).toMatchObject({
      tenantid: 't1',
      data: {
        finished: 4,
        chunk: 1,
        checked: 39,
        present: [
          { batch: 1, positions: [[0, 0]], objectKeys: [keys[0]] },
          { batch: 3, positions: [[8, 8]], objectKeys: [keys[33]] },
        ],
        refused: [{ batch: 1, positions: [[7, 7]] }],
        refusal: { code: 'HTTP_403' },
      },
    });
  });

  const asked = () => store.met.filter(({ path }) => path.includes(job) || path.includes(encodeURIComponent(job)));
  const isList = ({ method }: Met) => method === 'GET';

  test('one list tells that many are gone, and only what it names is looked for', async () => {
    const keys = keysOf(40);
    await bucket.fill([keys[33]!, `tenants/${job}/33.bak`]);
    await broker.publisher.publish(check([{ batch: 1, positions: [[0, 39]], objectKeys: keys }]));
    await until('the answer', () => checked().length === 1, 20_000);
    expect(checked()[0]).toMatchObject({
      data: { checked: 40, present: [{ batch: 1, positions: [[33, 33]], objectKeys: [keys[33]] }], refused: [] },
    });
    expect(asked().map(({ method }) => method)).toEqual(['GET', 'HEAD']);
  });

  test.each<[string, Behaviour]>([
    ['is refused', { does: 'answer', status: 403, body: errorXml('AccessDenied') }],
    [
      'says neither that it is whole nor that it is not',
      { does: 'answer', status: 200, body: xml('<ListBucketResult/>') },
    ],
    [
      'is not whole',
      {
        does: 'answer',
        status: 200,
        body: xml('<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>'),
      },
    ],
  ])('each key is looked for where the list %s', async (_what, answer) => {
    const keys = keysOf(40);
    await bucket.fill([keys[33]!]);
    store.behave((met) => (isList(met) ? answer : { does: 'pass' }));
    await broker.publisher.publish(check([{ batch: 1, positions: [[0, 39]], objectKeys: keys }]));
    await until('the answer', () => checked().length === 1, 20_000);
    expect(checked()[0]).toMatchObject({
      data: { checked: 40, present: [{ batch: 1, positions: [[33, 33]], objectKeys: [keys[33]] }], refused: [] },
    });
    expect(asked().filter(({ method }) => method === 'HEAD')).toHaveLength(40);
  });

  test('a key that XML may harm is looked for by itself, since a store may trim it in a list', async () => {
    const keys = [...keysOf(20), `tenants/${job}/20 `];
    await bucket.fill([keys[20]!]);
    const trimmed = `<Contents><Key>${keys[20]!.trim()}</Key></Contents><IsTruncated>false</IsTruncated>`;
    const list: Behaviour = {
      does: 'answer',
      status: 200,
      body: xml(`<ListBucketResult>${trimmed}</ListBucketResult>`),
    };
    store.behave((met) => (isList(met) ? list : { does: 'pass' }));
    await broker.publisher.publish(check([{ batch: 1, positions: [[0, 20]], objectKeys: keys }]));
    await until('the answer', () => checked().length === 1, 20_000);
    expect(checked()[0]).toMatchObject({
      data: { checked: 21, present: [{ batch: 1, positions: [[20, 20]], objectKeys: [keys[20]] }] },
    });
  });

  test('waits with its answer while the bucket is busy', async () => {
    let looks = 0;
    store.behave(({ method }) => {
      if (method === 'HEAD') looks += 1;
      return method === 'HEAD' && looks === 1 ? { does: 'answer', status: 503, body: '' } : { does: 'pass' };
    });
    const batches: KeysOfBatch[] = [{ batch: 1, positions: [[0, 0]], objectKeys: keysOf(1) }];
    await broker.publisher.publish(check(batches));
    await until('the answer', () => checked().length === 1, 20_000);
    expect(checked()[0]).toMatchObject({ data: { checked: 1, present: [], refused: [], refusal: null } });
    expect(looks).toBe(2);
  });

  test("a person's retry is told apart in what it ends in", async () => {
    store.behave(({ keys }) => deleteResult(keys, () => ({ code: 'AccessDenied' })));
    const data = { batch: 1, positions: [[4, 5]] as Positions, objectKeys: keysOf(2), round: 2 };
    const since = new Date().toISOString();
    await broker.publisher.publish(PurgeRequested.create({ ...envelope(job, 'again'), data: { ...data, since } }));
    await until('the report', () => told().length === 1, 10_000);
    expect(told()[0]).toMatchObject({ type: 'ObjectPurgeFailed', data });
  });

  test('is not ready while the bucket refuses, says why, and becomes ready again', async () => {
    store.behave(() => ({ does: 'answer', status: 403, body: errorXml('AccessDenied') }));
    // An answer of the test before stands for 5 s.
    const why = async () => (await cleaner.ready()).checks['bucket'];
    await until('no readiness', async () => (await why()) === 'AccessDenied: AccessDenied it is', 15_000);
    expect(await cleaner.ready()).toMatchObject({ status: 503, checks: { broker: null } });
    const probes = store.met.length;
    await Promise.all(Array.from({ length: 20 }, () => cleaner.ready()));
    expect(store.met.length - probes).toBeLessThanOrEqual(1);
    store.behave(() => ({ does: 'pass' }));
    await until('readiness', async () => (await cleaner.ready()).status === 200, 15_000);
  });

  test('killed while the store has its calls, it purges the whole batch when it is back', async () => {
    const keys = keysOf(1500);
    await bucket.fill(sample(keys));
    // The first call is carried out, the second is never answered: half of the batch is gone and nobody has said so.
    store.behave(({ keys: asked }) => ({ does: asked.length === 500 ? 'nothing' : 'pass' }));
    await broker.publisher.publish(batchDeleted(job, 1, keys));
    await until('half a batch', async () => (await bucket.list(`tenants/${job}/`)).length === 51, 10_000);
    await cleaner.end('SIGKILL');
    expect(told()).toEqual([]);
    store.behave(() => ({ does: 'pass' }));
    await start();
    await until('the batch', () => positions.count(purged()) === 1500, 30_000);
    expect(await bucket.list(`tenants/${job}/`)).toEqual([]);
  });

  test('asked to end, it first reports what it is at', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    store.behave(({ keys }) => (keys.length > 0 ? { does: 'pass', after: held } : { does: 'pass' }));
    await broker.publisher.publish(batchDeleted(job, 1, keysOf(3)));
    await until('the call', () => store.met.some(({ keys }) => keys.length === 3), 10_000);
    const ended = cleaner.end('SIGTERM');
    await until('the drain', () => cleaner.lines.some((line) => line['msg'] === 'draining'), 10_000);
    expect(told()).toEqual([]);
    release();
    expect(await ended).toBe(0);
    expect(said()).toEqual([['ObjectsPurged', '0-2']]);
    expect(await broker.depth(queue)).toBe(0);
    await start();
  });

  test('does not start with a setting that is wrong, and names it', async () => {
    const refused = await startCleaner({ ...settings(), S3_TIMEOUT: 'soon' });
    expect(await refused.exited).toBe(78);
    expect(refused.stderr.join('\n')).toContain(
      'S3_TIMEOUT must be a duration such as 30s, 15m, 24h or 7d, but is "soon"',
    );
  });
});
