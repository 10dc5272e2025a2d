import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type AnyMessage,
  type JobOptions,
  ObjectPurgeFailed,
  receipts,
  type ResourceDefinition,
  RetryRequested,
  VerificationRequested,
} from '@expunge/contracts';
import { TransientError } from '@expunge/messaging';
import { ObjectId } from 'mongodb';
import type { Records } from '../src/records/records.js';
import { type Deleter, deleteRequested, fill, keyOf, runToEnd, World } from './deleters.js';
import { intercept } from './intercept.js';

let world: World;
beforeAll(async () => {
  world = await World.create();
}, 30_000);
afterAll(() => world.destroy());
beforeEach(() => world.reset());

const receiptsIn = (bucket: string | null): ResourceDefinition => ({ ...receipts, bucket });
const ofType = <T extends AnyMessage['type']>(messages: AnyMessage[], type: T) =>
  messages.filter((message): message is Extract<AnyMessage, { type: T }> => message.type === type);
const fields = (id: string) => ({
  id,
  source: 'urn:expunge:test',
  subject: 'job',
  tenantid: 'acme',
  time: new Date().toISOString(),
});
/** What names keys to the storage-cleaner: its version, its bucket, the keys. */
const told = (messages: AnyMessage[]) =>
  messages.flatMap((message) => {
    const { type, dataschema } = message;
    if (type !== 'BatchDeleted' && type !== 'PurgeRequested') return [];
    return [[type, dataschema.split(':').at(-1), message.data.bucket ?? null, message.data.objectKeys]];
  });

/** Records that are away once a page of them was read. */
const withOnePage = (records: Records): Records => {
  let pages = 0;
  return intercept(records, 'page', (real, ...args) => {
    pages += 1;
    return pages === 1 ? real(...args) : Promise.reject(new TransientError('RECORDS_UNAVAILABLE', 'no server answers'));
  });
};

/** Deletes a batch of two of four records as `first`, and the other two as `second`: RESOURCES_FILE changes in between. */
async function jobOfTwo(first: ResourceDefinition, second: ResourceDefinition, options: Partial<JobOptions> = {}) {
  await fill(world.db, 4);
  const before = world.deleter('d1', { records: withOnePage }, [first]);
  await before.requests.accept(deleteRequested('job', { options: { batchSize: 2, ...options } }));
  await before.slices.run('job', 1, null);
  expect((await before.jobs.read('job'))?.totals).toMatchObject({ batches: 1, succeeded: 2 });
  const after = world.deleter('d2', {}, [second]);
  await runToEnd(after, 'job');
  return after;
}

async function retried(deleter: Deleter): Promise<AnyMessage[]> {
  for (const batch of [1, 2]) {
    const data = {
      batch,
      positions: [[1, 1]] as [number, number][],
      instance: 'c1',
      code: 'AccessDenied',
      message: '',
    };
    await deleter.failedPurges.add(ObjectPurgeFailed.create({ ...fields(`failed-${batch}`), data }));
  }
  await world.published();
  await deleter.control.take(RetryRequested.create({ ...fields('retry'), data: { requestedBy: 'ann', reason: null } }));
  await runToEnd(deleter, 'job');
  return (await world.published()).batches;
}

async function verified(deleter: Deleter): Promise<AnyMessage[]> {
  const finished = (await deleter.jobs.read('job'))?.finished ?? 0;
  await world.published();
  await deleter.verification.take(VerificationRequested.create({ ...fields('verify'), data: { finished } }));
  return (await world.published()).batches;
}

describe('a resource that names its bucket', () => {
  it('has it named with its keys, when they are deleted, asked for again after a retry, and looked for', async () => {
    const deleter = await jobOfTwo(receiptsIn('first'), receiptsIn('first'));
    expect(told((await world.published()).batches)).toEqual([
      ['BatchDeleted', '2', 'first', [keyOf(0), keyOf(1)]],
      ['BatchDeleted', '2', 'first', [keyOf(2), keyOf(3)]],
    ]);
    expect(told(await retried(deleter))).toEqual([
      ['PurgeRequested', '2', 'first', [keyOf(1)]],
      ['PurgeRequested', '2', 'first', [keyOf(3)]],
    ]);
    const [check] = ofType(await verified(deleter), 'ObjectCheckRequested');
    expect(check!.dataschema).toBe('urn:expunge:ObjectCheckRequested:2');
    expect(check!.data.batches.map(({ bucket }) => bucket)).toEqual(['first', 'first']);
  });

  it.each([null, 'second'])('and then %j leaves each key where it was when its batch was deleted', async (later) => {
    const deleter = await jobOfTwo(receiptsIn('first'), receiptsIn(later));
    const version = later === null ? '1' : '2';
    expect(told((await world.published()).batches)).toEqual([
      ['BatchDeleted', '2', 'first', [keyOf(0), keyOf(1)]],
      ['BatchDeleted', version, later, [keyOf(2), keyOf(3)]],
    ]);
    // By a third definition: what is named is what was, not what is.
    const third = world.deleter('d3', {}, [receiptsIn('third')]);
    expect(told(await retried(third))).toEqual([
      ['PurgeRequested', '2', 'first', [keyOf(1)]],
      ['PurgeRequested', version, later, [keyOf(3)]],
    ]);
    const [sample, ...more] = ofType(await verified(deleter), 'ObjectCheckRequested');
    expect(more).toEqual([]);
    expect(sample!.dataschema).toBe('urn:expunge:ObjectCheckRequested:2');
    expect(sample!.data.batches).toEqual([
      { batch: 1, positions: [[0, 1]], objectKeys: [keyOf(0), keyOf(1)], bucket: 'first' },
      { batch: 2, positions: [[0, 1]], objectKeys: [keyOf(2), keyOf(3)], ...(later !== null && { bucket: later }) },
    ]);
  });

  it('has it named with every chunk of a full look, each in the version that says so', async () => {
    const deleter = await jobOfTwo(receiptsIn('first'), receiptsIn(null), { verify: 'full' });
    const chunks = ofType(await verified(deleter), 'ObjectCheckRequested');
    expect(chunks.map(({ dataschema, data }) => [dataschema, data.batches.map(({ bucket }) => bucket)])).toEqual([
      ['urn:expunge:ObjectCheckRequested:2', ['first']],
      ['urn:expunge:ObjectCheckRequested:1', [undefined]],
    ]);
  });

  it('has it named when an event is asked for again: the event store has the message as it was', async () => {
    const deleter = await jobOfTwo(receiptsIn('first'), receiptsIn('second'));
    const stored: AnyMessage[] = [];
    for await (const events of deleter.events.find('job', { batches: [[1, 2]] }, 10)) stored.push(...events);
    const { batches } = await world.published();
    expect(told(stored)).toEqual(told(batches));
    expect(told(stored).map(([, , bucket]) => bucket)).toEqual(['first', 'second']);
  });
});

describe('a key that a record of another resource refers to', () => {
  const invoices = (bucket: string | null): ResourceDefinition => ({
    ...receipts,
    name: 'invoices',
    collection: 'invoices',
    objectKeyPaths: ['key'],
    bucket,
  });

  it.each<[string, string | null, string | null, kept: boolean]>([
    ['in another bucket is not that object', 'first', 'second', false],
    ['in the same bucket stays', 'first', 'first', true],
    ['in S3_BUCKET may be the same object, and stays', 'first', null, true],
    ['in a bucket that may be S3_BUCKET may be the same object, and stays', null, 'second', true],
  ])('%s', async (_, own, others, kept) => {
    await fill(world.db, 1);
    await world.db.collection('invoices').insertOne({ _id: new ObjectId(), tenantId: 'other', key: keyOf(0) });
    const deleter = world.deleter('d1', {}, [receiptsIn(own), invoices(others)]);
    await deleter.requests.accept(deleteRequested('job'));
    await runToEnd(deleter, 'job');
    const { totals } = (await deleter.jobs.read('job'))!;
    expect(totals).toMatchObject({ succeeded: 1, objects: kept ? 0 : 1, retained: kept ? 1 : 0 });
  });

  it('stays, though the bucket that its own resource names is another one by now', async () => {
    const deleter = await jobOfTwo(receiptsIn('first'), receiptsIn('first'));
    await world.db.collection('receipts').insertOne({ tenantId: 'other', attachments: [{ key: keyOf(1) }] });
    const moved = world.deleter('d2', {}, [receiptsIn('second')]);
    expect(told(await retried(moved))).toEqual([
      ['PurgeRequested', '2', 'first', []],
      ['PurgeRequested', '2', 'first', [keyOf(3)]],
    ]);
    expect((await deleter.jobs.read('job'))?.state).toBe('finished');
  });
});
