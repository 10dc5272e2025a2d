import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type AnyMessage, JobRemoved, jobRemovedId } from '@expunge/contracts';
import { openStore, type Store } from '@expunge/runtime/store';
import { BSON, type Db, type Document, Double, type UpdateFilter } from 'mongodb';
import { JobRemoval } from '../src/expiry/job-removal.service.js';
import { FailuresRepository } from '../src/failures/failures.repository.js';
import { FoldMarkRepository } from '../src/fold/fold-mark.repository.js';
import { Appender } from '../src/ledger/appender.service.js';
import { compact } from '../src/ledger/compact.js';
import { LedgerRepository } from '../src/ledger/ledger.repository.js';
import { evolveAll } from '../src/projection/evolve.js';
import { JobRepository } from '../src/projection/job.repository.js';
import { Projector } from '../src/projection/projector.service.js';
import { Examination, type Verdict } from '../src/rebuild/examination.service.js';
import { type LiveJob, LiveJobs } from '../src/rebuild/live-jobs.repository.js';
import { type Outcome, Rebuild } from '../src/rebuild/rebuild.service.js';
import { RebuiltJobs } from '../src/rebuild/rebuilt-jobs.repository.js';
import { RedriveRepository } from '../src/redrive/redrive.repository.js';
import { Story } from '../src/testing/story.js';
import { silent, testServer } from './servers.js';

jest.setTimeout(60_000);

type StoredJob = Document & { _id: string };

let store: Store;
let db: Db;
let prefix: string;
let ledger: LedgerRepository;
let jobs: JobRepository;
let marks: FoldMarkRepository;
let failures: FailuresRepository;
let redrives: RedriveRepository;

beforeEach(async () => {
  store = openStore(testServer('MONGODB_URL'), 'test', silent);
  prefix = `rebuild-${randomBytes(6).toString('hex')}-`;
  db = store.db(`${prefix}monitor`);
  ledger = new LedgerRepository(db);
  jobs = new JobRepository(db);
  marks = new FoldMarkRepository(db);
  failures = new FailuresRepository(db, 86_400_000);
  redrives = new RedriveRepository(db);
  for (const repository of [ledger, jobs, failures, redrives]) await repository.createIndexes();
});

afterEach(async () => {
  await db.dropDatabase();
  await store.close();
});

const collection = () => db.collection<StoredJob>('jobs');

/** Appends and folds as a monitor does. */
async function hear(...messages: AnyMessage[]): Promise<void> {
  const [appender, projector] = [new Appender(ledger), new Projector(jobs)];
  for (const message of messages) await projector.fold(message.subject, await appender.append(compact(message)));
}

function story(job: string, batches = 4): Story {
  const told = new Story(job).requested().started(batches * 10);
  for (let batch = 1; batch <= batches; batch++) {
    told.batch(10, 2, { retained: [`shared-${batch}`] });
    if (batch % 2 === 0) told.delayed().pauseRequested(`${job}-p${batch}`).paused(`${job}-p${batch}`);
    told.purged(batch, [[0, 0]]).purgeFailed(batch, [[1, 1]]);
  }
  return told.finished().recordsVerified(1).objectsChecked();
}

/** Every document, as its bytes but for the number of writes. */
async function documents(): Promise<Record<string, string>> {
  const found = await collection().find({}).sort({ _id: 1 }).toArray();
  return Object.fromEntries(
    found.map(({ revision: _, movedAt: _moved, ...content }) => [
      content._id,
      Buffer.from(BSON.serialize(content)).toString('base64'),
    ]),
  );
}

interface Run extends Outcome {
  found: [string, Verdict][];
}

/** Between reading and writing of the rebuild, where a race is to be made. */
interface Hooks {
  folded?: () => Promise<unknown>;
  read?: (id: string) => Promise<unknown>;
  replace?: (id: string) => Promise<unknown>;
}

async function rebuild({ check = false, ...hooks }: Hooks & { check?: boolean } = {}): Promise<Run> {
  class Live extends LiveJobs {
    override async *pages() {
      await hooks.folded?.();
      yield* super.pages();
    }
    override async read(id: string) {
      await hooks.read?.(id);
      return super.read(id);
    }
    override async replace(job: Parameters<LiveJobs['replace']>[0], expected: LiveJob | null) {
      await hooks.replace?.(job.id);
      return super.replace(job, expected);
    }
  }
  const [live, rebuilt] = [new Live(db), new RebuiltJobs(db)];
  const found: [string, Verdict][] = [];
  const examination = new Examination(live, rebuilt, ledger, jobs, marks, !check);
  const outcome = await new Rebuild(ledger, live, rebuilt, examination, {
    folded: () => undefined,
    leftOut: () => undefined,
    found: (job, verdict) => found.push([job, verdict]),
  }).run();
  expect(await db.listCollections({ name: 'jobs_rebuilt' }).toArray()).toEqual([]);
  return { ...outcome, found };
}

/** Once only. */
function first(action: () => Promise<unknown>): () => Promise<unknown> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    await action();
  };
}

const removed = (job: string, expiredAt: string) =>
  JobRemoved.create({
    id: jobRemovedId(job, expiredAt),
    source: 'deleter',
    subject: job,
    time: expiredAt,
    data: { expiredAt },
  });
const remove = (job: string, expiredAt: string) =>
  new JobRemoval(jobs, ledger, failures, redrives, silent).run(removed(job, expiredAt));

describe('a rebuild', () => {
  it('gives the documents that the running fold has written, byte for byte', async () => {
    const stories = ['job-1', 'job-2', 'job-3'].map((job, i) => story(job, 3 + 70 * i));
    await Promise.all(stories.map(({ events }) => hear(...events)));
    const events = stories.flatMap((told) => told.events).length;
    expect(await rebuild()).toEqual({ events, jobs: 3, different: 0, repaired: 0, found: [] });

    const before = await documents();
    await collection().deleteMany({});
    expect(await rebuild()).toMatchObject({ jobs: 3, different: 3, repaired: 3 });
    expect(await documents()).toEqual(before);
  });

  it('repairs a damaged document, and names the first field that differs', async () => {
    const damages: [string, UpdateFilter<StoredJob>, string][] = [
      ['count', { $set: { 'objects.purged': 1 } }, 'objects.purged'],
      ['lost-field', { $unset: { stage: 1 } }, 'stage'],
      ['type', { $set: { 'objects.kept': new Double(0) } }, 'objects.kept'],
      ['order', { $rename: { heard: 'heard2' } }, 'heard'],
      ['no-revision', { $unset: { revision: 1 }, $set: { status: 'queued' } }, 'status'],
      ['position', { $set: { position: 1_000_000 } }, 'position'],
    ];
    await hear(...damages.flatMap(([job]) => story(job).events), ...story('whole').events);
    const before = await documents();
    for (const [job, damage] of damages) await collection().updateOne({ _id: job }, damage);
    await collection().replaceOne({ _id: 'whole' }, { nothing: 'of it' });

    const run = await rebuild();
    expect(run).toMatchObject({ jobs: 7, different: 7, repaired: 7 });
    const paths = new Map(run.found.map(([job, verdict]) => [job, 'difference' in verdict && verdict.difference.path]));
    expect(paths).toEqual(new Map([...damages.map(([job, , path]) => [job, path] as const), ['whole', 'tenant']]));
    expect(await documents()).toEqual(before);
    expect(await rebuild()).toMatchObject({ jobs: 7, different: 0 });
  });

  it('changes nothing when it only checks', async () => {
    await hear(...story('job-1').events, ...story('job-2').events);
    await collection().updateOne({ _id: 'job-1' }, { $set: { status: 'queued' } });
    await collection().deleteOne({ _id: 'job-2' });
    const before = await collection().find().toArray();
    expect(await rebuild({ check: true })).toMatchObject({
      jobs: 2,
      different: 2,
      repaired: 0,
      found: [
        ['job-1', { kind: 'different', difference: { path: 'status', stored: '"queued"' }, repaired: false }],
        ['job-2', { kind: 'different', difference: { path: '', stored: 'nothing' }, repaired: false }],
      ],
    });
    expect(await collection().find().toArray()).toEqual(before);
  });

  it('leaves a document alone of which the ledger has nothing, and says so', async () => {
    await hear(...story('job-1').events);
    await ledger.removeAll('job-1');
    const before = await documents();
    expect(await rebuild()).toMatchObject({
      events: 0,
      jobs: 1,
      different: 1,
      repaired: 0,
      found: [['job-1', { kind: 'unheard-of' }]],
    });
    expect(await documents()).toEqual(before);
  });

  it('leaves out what cannot be folded, as the running fold has', async () => {
    const { events } = story('job-1');
    const poison = { ...events[3]!, id: 'poison', time: 'no time' };
    await hear(...events.slice(0, 3));
    await expect(hear(poison)).rejects.toThrow(RangeError);
    await hear(...events.slice(3));
    expect(await rebuild()).toMatchObject({ events: events.length + 1, different: 0 });
  });
});

describe('a rebuild while a monitor folds', () => {
  const told = story('job-1');
  const [early, late] = [told.events.slice(0, 9), told.events.slice(9)];
  const whole = async () => {
    const recorded = await ledger.eventsOf('job-1', 0, 1000);
    expect(recorded).toHaveLength(told.events.length);
    expect((await jobs.read('job-1'))?.job).toEqual(evolveAll(null, recorded));
  };

  it('takes what came after it had read the ledger for no difference', async () => {
    await hear(...early);
    const run = await rebuild({ folded: () => hear(...late, ...story('new').events) });
    expect(run).toMatchObject({ jobs: 2, different: 0 });
    await whole();
  });

  it('loses none of its writes that come between the look and the repair', async () => {
    await hear(...early);
    await collection().updateOne({ _id: 'job-1' }, { $set: { 'objects.purged': 77 } });
    expect(await rebuild({ replace: first(() => hear(...late)) })).toMatchObject({ different: 1, repaired: 1 });
    await whole();
  });

  it('loses none that make the document which it is about to put where there was none', async () => {
    await hear(...told.events);
    await collection().deleteMany({});
    const run = await rebuild({ replace: first(() => hear(told.events[0]!)) });
    expect(run).toMatchObject({ different: 1, repaired: 1 });
    await whole();
  });

  it.each([
    ['behind', early],
    ['not there yet', []],
  ])('waits for the fold of what has been appended where the document is %s', async (_, folded) => {
    await hear(...folded);
    const appender = new Appender(ledger);
    for (const message of told.events) await appender.append(compact(message));
    await marks.takeOver({ instance: 'monitor-1', position: 1, lagMs: 0 });
    let looks = 0;
    const read = async () => {
      looks += 1;
      if (looks === 3) await hear(...told.events);
    };
    expect(await rebuild({ read })).toMatchObject({ jobs: 1, different: 0 });
    expect(looks).toBe(3);
    await whole();
  });

  it('does the fold of what has been appended where no monitor lives to do it', async () => {
    await hear(...early);
    const appender = new Appender(ledger);
    for (const message of late) await appender.append(compact(message));
    expect(await rebuild()).toMatchObject({ different: 1, repaired: 1 });
    await whole();
  });

  it('finds no difference and makes none, whatever is folded meanwhile', async () => {
    const [appender, projector] = [new Appender(ledger), new Projector(jobs)];
    const stories = Array.from({ length: 12 }, (_, i) => story(`busy-${i}`, 25));
    const folding = { isOver: false };
    const done = (async () => {
      for (let i = 0; i < Math.max(...stories.map(({ events }) => events.length)); i++) {
        await marks.takeOver({ instance: 'monitor-1', position: i, lagMs: 0 });
        const due = stories.flatMap(({ events }) => events.slice(i, i + 1));
        await Promise.all(
          due.map(async (message) => projector.fold(message.subject, await appender.append(compact(message)))),
        );
      }
    })().finally(() => (folding.isOver = true));
    do expect(await rebuild()).toMatchObject({ different: 0, found: [] });
    while (!folding.isOver);
    await done;
    expect(await rebuild()).toMatchObject({ jobs: 12, different: 0 });
    for (const { job, events } of stories) {
      const recorded = await ledger.eventsOf(job, 0, 1000);
      expect(recorded).toHaveLength(events.length);
      expect((await jobs.read(job))?.job).toEqual(evolveAll(null, recorded));
    }
  });
});

describe('a rebuild and a job that expires', () => {
  const expiredAt = '2027-12-01T00:00:00.000Z';

  it('does not bring back what was removed after it had read the ledger', async () => {
    await hear(...story('job-1').events);
    expect(await rebuild({ folded: () => remove('job-1', expiredAt) })).toMatchObject({ different: 0, found: [] });
    expect(await documents()).toEqual({});
  });

  it('does not bring back what is removed between the look and the repair', async () => {
    await hear(...story('job-1').events);
    await collection().updateOne({ _id: 'job-1' }, { $set: { status: 'queued' } });
    const run = await rebuild({ replace: first(() => remove('job-1', expiredAt)) });
    expect(run).toMatchObject({ different: 0, found: [] });
    expect(await documents()).toEqual({});
  });

  it('leaves a document alone whose removal has begun', async () => {
    await hear(...story('job-1').events);
    const before = await documents();
    await jobs.noteRemoved('job-1', expiredAt);
    await db.collection('ledger').deleteMany({ position: { $lt: 6 } });
    expect(await rebuild()).toMatchObject({ different: 0, found: [] });
    await ledger.removeAll('job-1');
    expect(await rebuild()).toMatchObject({ different: 0, found: [] });
    expect(await documents()).toEqual(before);
  });

  it('makes no job of an event that came too late and is not dropped yet', async () => {
    await jobs.noteRemoved('job-1', expiredAt);
    const late = new Story('job-1', Date.parse(expiredAt) + 60_000).refused('r', 'RetryRequested', 'expired');
    await new Appender(ledger).append(compact(late.events[0]!));
    expect(await rebuild()).toMatchObject({ events: 1, different: 0, found: [] });
    expect(await documents()).toEqual({});
  });

  it('repairs one that was requested anew', async () => {
    await jobs.noteRemoved('job-1', expiredAt);
    await hear(...new Story('job-1', Date.parse(expiredAt) + 60_000).requested().started().batch(5, 2).events);
    const before = await documents();
    await collection().updateOne({ _id: 'job-1' }, { $set: { status: 'queued' } });
    expect(await rebuild()).toMatchObject({ different: 1, repaired: 1 });
    expect(await documents()).toEqual(before);
  });
});

describe('npm run rebuild', () => {
  const command = join(import.meta.dirname, '..', 'dist', 'rebuild.js');
  const run = (args: string[], url = testServer('MONGODB_URL')) =>
    new Promise<{ code: number; lines: string[]; said: string }>((resolve) => {
      const env = { PATH: process.env['PATH'], MONGODB_URL: url, DATABASE_PREFIX: prefix };
      const child = execFile(process.execPath, [command, ...args], { env }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, lines: stdout.trim().split('\n'), said: stderr }),
      );
    });
  const figures = { seconds: expect.any(Number) as unknown, events_per_second: expect.any(Number) as unknown };
  const last = ({ lines }: { lines: string[] }) => JSON.parse(lines.at(-1) ?? '') as unknown;

  it('says what differs and how it ended, and exits with 1 only while something does', async () => {
    const { events } = story('job-1');
    await hear(...events);
    await collection().updateOne({ _id: 'job-1' }, { $set: { status: 'queued' } });
    const told = { events: events.length, jobs: 1, different: 1, ...figures };
    const line = 'job job-1 differs in status: "queued" is stored, the ledger tells "verifying"';

    const checked = await run(['--check']);
    expect([checked.code, checked.lines[0], last(checked)]).toEqual([1, line, { ...told, repaired: 0 }]);
    const repaired = await run([]);
    expect([repaired.code, repaired.lines[0], last(repaired)]).toEqual([
      0,
      `${line}; repaired`,
      { ...told, repaired: 1 },
    ]);
    const equal = await run(['--check']);
    expect([equal.code, last(equal)]).toEqual([0, { ...told, different: 0, repaired: 0 }]);
  });

  it('exits with 1 where the ledger has nothing of a document', async () => {
    await hear(...story('job-1').events);
    await ledger.removeAll('job-1');
    const { code, lines } = await run([]);
    expect([code, lines[0]]).toEqual([1, 'job job-1 is left as it is: the ledger has no event of it']);
  });

  it('exits with 2 when it cannot be done, and with 78 for a wrong setting', async () => {
    expect(await run(['--chekc'])).toMatchObject({ code: 2, said: expect.stringContaining('--check') as unknown });
    const away = await run([], 'mongodb://127.0.0.1:9/?directConnection=true');
    expect(away).toMatchObject({ code: 2, said: expect.stringMatching(/^rebuild: /m) as unknown });
    expect(await run([], 'http://x')).toMatchObject({
      code: 78,
      said: expect.stringContaining('MONGODB_URL') as unknown,
    });
  });
});
