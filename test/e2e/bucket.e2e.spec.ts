import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { receipts, type ResourceDefinition } from '@expunge/contracts';
import { until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Behaviour,
  errorXml,
  type KeyAnswer,
  type Met,
  type MisbehavingStore,
  startMisbehavingStore,
} from '../support/misbehaving-store.js';
import { idsOf, keysOf, type Receipt, System } from '../support/system.js';

const RECORDS = 60;
const BATCH = 20;
/** More messages of one batch's objects than this make a job wait. */
const MAX_PENDING_OBJECTS = 5 * BATCH;

const ARCHIVE = 'expunge-archive';
/** The same records, their files in a bucket of its own. */
const archived: ResourceDefinition = { ...receipts, name: 'archived', bucket: ARCHIVE };

/** What the bucket does to one tenant's bulk deletes; `n` counts those, from 1. */
type Script = (n: number, met: Met) => Behaviour;

const scripts = new Map<string, Script>();
/** What is said to whatever names no key; null: what the store says. */
let asked: (met: Met) => Behaviour | null = () => null;
const folder = mkdtempSync(join(tmpdir(), 'expunge-resources-'));
let store: MisbehavingStore;
let system: System;
beforeAll(async () => {
  const file = join(folder, 'resources.json');
  writeFileSync(file, JSON.stringify([receipts, archived]));
  system = await System.start({
    buckets: ['expunge', ARCHIVE],
    env: { S3_TIMEOUT: '2s', MAX_PENDING_OBJECTS: String(MAX_PENDING_OBJECTS), RESOURCES_FILE: file },
    asSeen: async (servers) => {
      store = await startMisbehavingStore(servers.s3.endpoint, (keys) => system.remove(keys));
      return { ...servers, s3: { ...servers.s3, endpoint: store.endpoint } };
    },
  });
  const calls = new Map<string, number>();
  store.behave((met) => {
    const said = met.keys.length === 0 ? asked(met) : null;
    if (said) return said;
    const tenant = met.keys[0]?.split('/')[1] ?? '';
    const n = (calls.get(tenant) ?? 0) + 1;
    calls.set(tenant, n);
    return scripts.get(tenant)?.(n, met) ?? { does: 'pass' };
  });
}, 120_000);
afterAll(async () => {
  await system.stop();
  await store.close();
  rmSync(folder, { recursive: true });
}, 60_000);

const answer = (status: number, body: string): Behaviour => ({ does: 'answer', status, body });
const first =
  (calls: number, behaviour: Behaviour): Script =>
  (n) =>
    n <= calls ? behaviour : { does: 'pass' };
const ofEachTenth = (what: KeyAnswer) => (key: string) => (key.endsWith('0') ? what : 'pass');
/** Keys whose number ends in 0 get the answer, the others are really deleted; for good, or at the first calls. */
const partly =
  (what: KeyAnswer, calls = Infinity): Script =>
  (n) =>
    n <= calls ? { does: 'partly', of: ofEachTenth(what) } : { does: 'pass' };

const callsWith =
  (ending: string, behaviour: Behaviour): Script =>
  (_n, { keys }) =>
    keys.some((key) => key.endsWith(ending)) ? behaviour : { does: 'pass' };

interface Filled {
  tenant: string;
  receipts: Receipt[];
  other: string;
  whole: { ids: string[]; keys: string[] };
}

/** Records whose one file is numbered, so that a script can tell them apart; and a neighbour nobody may touch. */
async function filled(script: Script, records = RECORDS): Promise<Filled> {
  const [tenant, other] = [system.newTenant(), system.newTenant()];
  scripts.set(tenant, script);
  const receipts = await system.fill(tenant, records, 0, (receipt, i) => {
    receipt.attachments = [{ key: `tenants/${tenant}/${i}` }];
  });
  const theirs = await system.fill(other, 3, 1);
  return { tenant, receipts, other, whole: { ids: idsOf(theirs), keys: keysOf(theirs) } };
}

async function expectOnlyLeft({ tenant, other, whole }: Filled, keys: string[]): Promise<void> {
  expect(await system.left(tenant)).toEqual({ ids: [], keys: keys.sort() });
  expect(await system.left(other)).toEqual(whole);
}

const codesHeard = async (job: string, type: string): Promise<unknown[]> => [
  ...new Set((await system.heardOf(job)).filter((heard) => heard.type === type).map(({ data }) => data['code'])),
];

describe('a bucket that', () => {
  it('keeps versions is not deleted from, until a retry finds it otherwise', async () => {
    const of = await filled(() => ({ does: 'pass' }), 3);
    const versions = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    asked = ({ path }) => (/[?&]versioning/.test(path) ? answer(200, versions) : null);
    const id = await system.request(of.tenant, { selection: { all: true } });
    expect(await system.untilEnded(of.tenant, id)).toMatchObject({
      status: 'failed',
      progress: { succeeded: 0 },
      last_error: {
        code: 'VERSIONED_BUCKET',
        message: expect.stringMatching(/versioning is on.*versionedBucket/) as unknown,
      },
    });
    expect((await system.left(of.tenant)).ids).toHaveLength(3);
    asked = () => null;
    await system.ask(of.tenant, id, 'retry');
    await system.until(of.tenant, id, 'its end', ({ status }) => status === 'completed');
    await expectOnlyLeft(of, []);
  });

  const transient: [string, Script, code: string][] = [
    ['answers 503', first(2, answer(503, errorXml('SlowDown'))), 'SlowDown'],
    ['answers 429', first(2, answer(429, errorXml('TooManyRequests'))), 'TooManyRequests'],
    ['answers 500 and a page of a proxy', first(2, answer(500, '<html>Oh <b>no</html>')), 'HTTP_500'],
    ['does not answer', first(1, { does: 'nothing' }), 'TIMEOUT'],
    ['begins an answer and does not end it', first(1, { does: 'half' }), 'TIMEOUT'],
    // The first repetition is the call's own: on a kept connection that is a matter of course.
    ['resets the connection', first(4, { does: 'reset' }), 'CONNECTION_RESET'],
    ['does what it is asked and loses its answer', first(4, { does: 'lose-answer' }), 'CONNECTION_RESET'],
    ['refuses some keys of a 200 for now', partly({ code: 'InternalError' }, 3), 'InternalError'],
    ['leaves some keys out of a 200', partly('silence', 3), 'NOT_ANSWERED'],
  ];
  it.each(transient)('%s is asked again, and the job completes', async (_what, script, code) => {
    const of = await filled(script);
    const id = await system.request(of.tenant, { selection: { all: true }, options: { batch_size: BATCH } });
    expect(await system.untilEnded(of.tenant, id)).toMatchObject({
      status: 'completed',
      progress: {
        succeeded: RECORDS,
        failed_count: 0,
        objects: { purged: RECORDS, retained: 0, failed: 0, pending: 0 },
      },
      last_error: { code },
    });
    await expectOnlyLeft(of, []);
    expect(await codesHeard(id, 'ObjectPurgeDelayed')).toEqual([code]);
    expect(await codesHeard(id, 'ObjectPurgeFailed')).toEqual([]);
  });

  const endsIn0 = (n: number) => n % 10 === 0;
  const permanent: [string, Script, code: string, stays: (n: number) => boolean][] = [
    ['denies some keys', partly({ code: 'AccessDenied' }), 'AccessDenied', endsIn0],
    ['has some keys locked', partly({ code: 'ObjectLockedByBucketPolicy' }), 'ObjectLockedByBucketPolicy', endsIn0],
    [
      'answers 403 to a whole call',
      callsWith('/25', answer(403, errorXml('AccessDenied'))),
      'AccessDenied',
      (n) => Math.floor(n / BATCH) === 1,
    ],
    [
      'cannot read a call that has a certain key',
      callsWith('/25', answer(400, errorXml('InvalidArgument'))),
      'InvalidArgument',
      (n) => n === 25,
    ],
  ];
  it.each(permanent)(
    '%s keeps what it refuses, which is told, and nothing else',
    async (_what, script, code, stays) => {
      const of = await filled(script);
      const left = of.receipts.filter((_, n) => stays(n));
      const id = await system.request(of.tenant, { selection: { all: true }, options: { batch_size: BATCH } });
      expect(await system.untilEnded(of.tenant, id)).toMatchObject({
        status: 'completed_with_residue',
        progress: {
          succeeded: RECORDS,
          failed_count: 0,
          objects: { purged: RECORDS - left.length, retained: 0, failed: left.length, pending: 0 },
        },
        last_error: { code },
      });
      await expectOnlyLeft(of, keysOf(left));
      expect(await codesHeard(id, 'ObjectPurgeFailed')).toEqual([code]);
      expect(await codesHeard(id, 'ObjectPurgeDelayed')).toEqual([]);
    },
  );

  it('says of some keys that they are gone, and keeps them, is found out before the job completes', async () => {
    const of = await filled(partly('deleted'));
    const left = of.receipts.filter((_, n) => endsIn0(n));
    const id = await system.request(of.tenant, { selection: { all: true }, options: { batch_size: BATCH } });
    expect(await system.untilEnded(of.tenant, id)).toMatchObject({
      status: 'completed_with_residue',
      progress: { succeeded: RECORDS, objects: { purged: RECORDS, failed: 0, pending: 0 } },
      residue: { records: { left: 0 }, objects: { checked: RECORDS, present: left.length, refused: 0 } },
    });
    await expectOnlyLeft(of, keysOf(left));
  });

  it('is away lets the records wait once many objects do, says so, and the job completes when it is back', async () => {
    let away = true;
    const of = await filled(() => (away ? answer(503, errorXml('ServiceUnavailable')) : { does: 'pass' }), 300);
    const options = { batch_size: BATCH, max_records_per_second: 2 * BATCH };
    const id = await system.request(of.tenant, { selection: { all: true }, options });
    const causes = async () =>
      (await system.heardOf(id)).flatMap(({ type, data }) => (type === 'BatchDelayed' ? [data['cause']] : []));
    await until('the wait', async () => (await causes()).length > 0, 60_000);
    expect(await causes()).toEqual(['purge-backlog']);
    const { progress } = await system.until(of.tenant, id, 'an answer', () => true);
    expect(progress.objects).toMatchObject({ purged: 0, failed: 0, pending: progress.succeeded });
    expect(progress.succeeded).toBeLessThan(300);
    away = false;
    await system.ask(of.tenant, id, null);
    expect(await system.untilEnded(of.tenant, id, 120_000)).toMatchObject({
      status: 'completed',
      progress: { succeeded: 300, objects: { purged: 300, failed: 0, pending: 0 } },
    });
    await expectOnlyLeft(of, []);
  });
});

describe('the bucket that a resource names', () => {
  it('loses the objects of its records, also after a wait, and the same keys in S3_BUCKET stay', async () => {
    const of = await filled(first(1, answer(503, errorXml('SlowDown'))));
    const keys = keysOf(of.receipts);
    await system.put(keys, ARCHIVE);
    const { body } = await system.get('operations', '/api/resources/archived/check');
    expect((body as { checks: object[] }).checks).toContainEqual(
      expect.objectContaining({ check: 'bucket', ok: true, detail: `the bucket ${ARCHIVE} answers and lets us in` }),
    );

    const options = { batch_size: BATCH, verify: 'full' };
    const id = await system.request(of.tenant, { resource: 'archived', selection: { all: true }, options });
    expect(await system.untilEnded(of.tenant, id)).toMatchObject({
      status: 'completed',
      progress: { succeeded: RECORDS, objects: { purged: RECORDS, retained: 0, failed: 0, pending: 0 } },
      residue: { objects: { checked: RECORDS, present: 0, refused: 0 } },
    });
    expect(await codesHeard(id, 'ObjectPurgeDelayed')).toEqual(['SlowDown']);
    await expectOnlyLeft(of, keys);
    expect(await system.keys(`tenants/${of.tenant}/`, ARCHIVE)).toEqual([]);
  });
});
