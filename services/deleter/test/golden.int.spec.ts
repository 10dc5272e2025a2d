import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CancelRequested, ResumeRequested, RetryRequested } from '@expunge/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BSON, ObjectId } from 'mongodb';
import { type Deleter, deleteRequested, keyOf, runToEnd, World } from './deleters.js';
import { withClockAhead } from './intercept.js';

/** What these files are: golden/README.md. */
const folder = join(import.meta.dirname, '../golden');
const names = readdirSync(folder).filter((file) => file.endsWith('.json'));
interface Stored {
  _id: string;
  sequence: number;
  bound: { idAtMost?: string };
  [member: string]: unknown;
}
const golden = (name: string) => BSON.EJSON.parse(readFileSync(join(folder, name), 'utf8')) as Stored;

let world: World;
let heir: Deleter;
beforeAll(async () => {
  world = await World.create();
}, 30_000);
afterAll(() => world.destroy());
beforeEach(async () => {
  await world.reset();
  heir = world.deleter('heir', { records: withClockAhead(10_000) });
});

/** The five receipts of the README: the last has the bound's id, those before it the ids below. */
async function receiptsOf({ bound }: Stored): Promise<void> {
  const last = BigInt(`0x${bound.idAtMost ?? new ObjectId().toHexString()}`);
  const receipts = Array.from({ length: 5 }, (_, n) => ({
    _id: new ObjectId((last - 4n + BigInt(n)).toString(16)),
    tenantId: 'acme',
    attachments: [{ key: keyOf(n) }],
  }));
  await world.db.collection<{ _id: ObjectId }>('receipts').insertMany(receipts);
}

async function stored(name: string): Promise<Stored> {
  const document = golden(name);
  await world.own.collection<Stored>('jobs').insertOne(document);
  return document;
}

const left = () => world.db.collection('receipts').countDocuments({ tenantId: 'acme' });
const newestMembers = Object.keys(golden('started.json')).filter((member) => !['_id', 'dueAt'].includes(member));
const asked = (type: 'cancel' | 'resume' | 'retry') => ({
  id: `job:${type}:later`,
  source: 'urn:expunge:api',
  subject: 'job',
  tenantid: 'acme',
  time: new Date().toISOString(),
  data: { requestedBy: 'ann', reason: null },
});

it.each(names)('%s is read with every member there is today', async (name) => {
  await stored(name);
  const job = await heir.jobs.read('job');
  expect(Object.keys(job ?? {}).sort()).toEqual(['id', ...newestMembers].sort());
});

describe('a job of a release before', () => {
  it.each(['started.json', 'planned.json', 'planned.before-traces.json', 'planned.bucket.json', 'waiting.json'])(
    'goes on from %s to its end, each record counted once',
    async (name) => {
      const before = await stored(name);
      await receiptsOf(before);
      await runToEnd(heir, 'job');
      expect(await heir.jobs.read('job')).toMatchObject({ state: 'finished', totals: { succeeded: 5, objects: 5 } });
      expect(await left()).toBe(0);
      const { events } = await world.published();
      const sequences = events.map(({ sequence }) => sequence).filter((sequence) => sequence !== undefined);
      expect(sequences).toEqual(sequences.map((_, n) => before.sequence + 1 + n));
    },
  );

  it('tells the keys of planned.bucket.json in the bucket they were planned in, and later ones where they are today', async () => {
    await receiptsOf(await stored('planned.bucket.json'));
    await runToEnd(heir, 'job');
    const { batches } = await world.published();
    expect(batches.map(({ dataschema, data }) => [dataschema, 'bucket' in data ? data.bucket : null])).toEqual([
      ['urn:expunge:BatchDeleted:2', 'acme-receipts'],
      ['urn:expunge:BatchDeleted:1', null],
      ['urn:expunge:BatchDeleted:1', null],
    ]);
  });

  it('comes to rest from pausing.json, and goes on when it is resumed', async () => {
    await receiptsOf(await stored('pausing.json'));
    await runToEnd(heir, 'job');
    expect(await heir.jobs.read('job')).toMatchObject({ state: 'paused', pending: null, totals: { succeeded: 0 } });
    expect(await left()).toBe(5);
    await heir.control.take(ResumeRequested.create(asked('resume')));
    await runToEnd(heir, 'job');
    expect(await left()).toBe(0);
  });

  it('goes on from paused.json when it is resumed', async () => {
    await receiptsOf(await stored('paused.json'));
    await heir.control.take(ResumeRequested.create(asked('resume')));
    await runToEnd(heir, 'job');
    expect(await heir.jobs.read('job')).toMatchObject({ state: 'finished', totals: { succeeded: 5 } });
  });

  it('goes on from failed.json when it is retried', async () => {
    await receiptsOf(await stored('failed.json'));
    await heir.control.take(RetryRequested.create(asked('retry')));
    await runToEnd(heir, 'job');
    expect(await heir.jobs.read('job')).toMatchObject({ state: 'finished', totals: { succeeded: 5 } });
  });

  it('stays cancelled by cancelled-before-its-request.json when the request comes', async () => {
    const before = await stored('cancelled-before-its-request.json');
    await receiptsOf(before);
    await heir.requests.accept(deleteRequested('job'));
    await runToEnd(heir, 'job');
    expect(await heir.jobs.read('job')).toMatchObject({ state: 'cancelled' });
    expect(await left()).toBe(5);
  });

  it('stays as finished.json is, whatever is asked of it', async () => {
    const before = await stored('finished.json');
    await receiptsOf(before);
    await heir.control.take(CancelRequested.create(asked('cancel')));
    await runToEnd(heir, 'job');
    expect(await heir.jobs.read('job')).toMatchObject({ state: 'finished' });
    expect(await left()).toBe(5);
  });
});
