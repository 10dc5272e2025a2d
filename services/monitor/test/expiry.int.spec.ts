import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  type AnyMessage,
  type JobExpired,
  jobRemovedId,
  JobRemoved,
  parseMessage,
  workQueues,
} from '@expunge/contracts';
import { createVhost, until, type Vhost } from '@expunge/local-stack';
import { FailuresRepository } from '../src/failures/failures.repository.js';
import { JobRemoval } from '../src/expiry/job-removal.service.js';
import { Appender } from '../src/ledger/appender.service.js';
import { compact } from '../src/ledger/compact.js';
import { LedgerRepository } from '../src/ledger/ledger.repository.js';
import { JobRepository } from '../src/projection/job.repository.js';
import { Projector } from '../src/projection/projector.service.js';
import { RedriveRepository } from '../src/redrive/redrive.repository.js';
import { Sweep } from '../src/redrive/sweep.service.js';
import { Story } from '../src/testing/story.js';
import { WorkerRepository } from '../src/workers/worker.repository.js';
import { openTestDatabase, type TestDatabase } from './database.js';
import { startMonitor } from './monitor-app.js';
import { connectAs, silent, testServer } from './servers.js';

jest.setTimeout(60_000);

const DAY_MS = 86_400_000;
const start = Date.parse('2025-01-01T00:00:00.000Z');
const now = new Date(start + 400 * DAY_MS);

let vhost: Vhost;
let monitor: Awaited<ReturnType<typeof connectAs>>;
let database: TestDatabase;
let ledger: LedgerRepository;
let jobs: JobRepository;
let redrives: RedriveRepository;
let failures: FailuresRepository;

beforeAll(async () => {
  const name = `expiry-${randomBytes(6).toString('hex')}`;
  vhost = await createVhost(testServer('RABBITMQ_URL'), testServer('RABBITMQ_MANAGEMENT_URL'), name);
  monitor = await connectAs('monitor', vhost.url);
});

afterAll(async () => {
  await monitor.close();
  await vhost.drop();
});

beforeEach(async () => {
  database = openTestDatabase('expiry');
  ledger = new LedgerRepository(database.db);
  jobs = new JobRepository(database.db);
  redrives = new RedriveRepository(database.db);
  failures = new FailuresRepository(database.db, DAY_MS);
  for (const repository of [ledger, jobs, redrives, failures]) await repository.createIndexes();
});

afterEach(() => database.drop());

/** Another instance, which keeps jobs for 300 days. */
function newSweep(): Sweep {
  const { broker, publisher } = monitor;
  const workers = new WorkerRepository(database.db);
  const jobRetentionMs = 300 * DAY_MS;
  return new Sweep({ jobs, ledger, workers, redrives, broker, publisher, jobRetentionMs, log: silent });
}

interface Parts {
  jobs: JobRepository;
  ledger: LedgerRepository;
  failures: FailuresRepository;
  redrives: RedriveRepository;
}

function newRemoval(parts: Partial<Parts> = {}): JobRemoval {
  const all: Parts = { jobs, ledger, failures, redrives, ...parts };
  return new JobRemoval(all.jobs, all.ledger, all.failures, all.redrives, silent);
}

/** As the consumer does it. */
async function hear(events: readonly AnyMessage[]): Promise<void> {
  const [appender, projector] = [new Appender(ledger), new Projector(jobs)];
  for (const event of events) {
    const recorded = await appender.append(compact(event));
    await failures.note(recorded);
    if (!(await projector.fold(event.subject, recorded))) await newRemoval().drop(recorded);
  }
}

async function taken(): Promise<AnyMessage[]> {
  const channel = await monitor.broker.openChannel();
  const messages: AnyMessage[] = [];
  for (;;) {
    const got = await channel.get(workQueues.deleterJobs.name, { noAck: true });
    if (got === false) break;
    const parsed = parseMessage(got.content);
    if (parsed.ok) messages.push(parsed.message);
  }
  await channel.close();
  return messages;
}

const failed = (job: string, days = 0) =>
  new Story(job, start + days * DAY_MS)
    .requested()
    .started()
    .batch(5, 0, { failures: [{ id: 'r1', code: 'STILL_CHANGING', message: 'changed' }] })
    .failed();

function removed(job: string, expiredAt = now): JobRemoved {
  const at = expiredAt.toISOString();
  const fields = { id: jobRemovedId(job, at), source: 'urn:expunge:deleter', subject: job, tenantid: 'tenant-1' };
  return JobRemoved.create({ ...fields, time: at, data: { expiredAt: at } });
}

async function kept(job: string): Promise<Record<string, number>> {
  const count = (name: string, filter: object) => database.db.collection(name).countDocuments(filter);
  return {
    jobs: await count('jobs', { _id: job }),
    ledger: await count('ledger', { job }),
    redrives: await count('redrives', { _id: job }),
    failures: await count('failures', { job }),
  };
}
const nothing = { jobs: 0, ledger: 0, redrives: 0, failures: 0 };

/** The same object, which stops for good before the k-th call of all that share `calls`. */
function cutBefore<T extends object>(target: T, k: number, calls: { made: number }): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        calls.made += 1;
        if (calls.made >= k) throw new Error('killed');
        return (value as (...all: unknown[]) => unknown).apply(object, args);
      };
    },
  });
}

describe('the sweep', () => {
  it('says of each job that was kept for its time that it has expired, and of no other', async () => {
    await hear(failed('old').events);
    await hear(failed('young', 200).events);
    await hear(new Story('paused', start).requested().started().pauseRequested('p').paused('p').events);
    await newSweep().run(now);
    const said = (await taken()).filter(({ type }) => type === 'JobExpired');
    expect(said).toMatchObject([
      { id: 'old:expired:4', subject: 'old', time: now.toISOString(), data: { sequence: 3, position: 4 } },
    ]);
    expect(await jobs.read('old')).not.toBeNull();
  });

  it('says it once, though instances look at the same time, and again after pauses that grow', async () => {
    await hear(failed('old').events);
    const [first, second] = [newSweep(), newSweep()];
    const said: [number, string[]][] = [];
    for (const seconds of [0, 14, 15, 44, 45]) {
      const at = new Date(now.getTime() + seconds * 1000);
      await Promise.all([first.run(at), second.run(at)]);
      said.push([seconds, (await taken()).map(({ id }) => id)]);
    }
    expect(said).toEqual([
      [0, ['old:expired:4']],
      [14, []],
      [15, ['old:expired:4']],
      [44, []],
      [45, ['old:expired:4']],
    ]);
  });

  it('looks at fifty old jobs a round, and those that cannot go keep none of the others', async () => {
    for (let n = 0; n < 120; n++) await hear(failed(`job-${String(n).padStart(3, '0')}`).events);
    const sweep = newSweep();
    const said: string[] = [];
    const counts: number[] = [];
    for (let round = 0; round < 3; round++) {
      await sweep.run(new Date(now.getTime() + round * 1000));
      const messages = await taken();
      counts.push(messages.length);
      said.push(...messages.map(({ subject }) => subject));
    }
    expect(counts).toEqual([50, 50, 20]);
    expect(new Set(said).size).toBe(120);
    await sweep.run(new Date(now.getTime() + 15_000));
    expect((await taken()).map(({ subject }) => subject)).toEqual(said.slice(0, 50));
  });
});

describe('a job that the deleter has removed', () => {
  beforeEach(async () => {
    await hear([...failed('other').events, ...failed('old').events]);
    await newSweep().run(now);
    await taken();
  });

  it('leaves the monitor, and nothing of another job goes', async () => {
    expect(await kept('old')).toEqual({ jobs: 1, ledger: 4, redrives: 1, failures: 1 });
    const others = await kept('other');
    await newRemoval().run(removed('old'));
    expect(await kept('old')).toEqual(nothing);
    expect(await kept('other')).toEqual(others);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'leaves it altogether though the removal is cut off before its call no. %d',
    async (k) => {
      const calls = { made: 0 };
      const parts = {
        jobs: cutBefore(jobs, k, calls),
        ledger: cutBefore(ledger, k, calls),
        failures: cutBefore(failures, k, calls),
        redrives: cutBefore(redrives, k, calls),
      };
      await expect(newRemoval(parts).run(removed('old'))).rejects.toThrow('killed');
      // Also if the message is lost with its queue: the sweep says it again as long as the document stands.
      if (k < 7) {
        await newSweep().run(new Date(now.getTime() + 60_000));
        expect((await taken()).map(({ subject }) => subject)).toContain('old');
      }
      await newRemoval().run(removed('old'));
      expect(await kept('old')).toEqual(nothing);
      expect(await kept('other')).toMatchObject({ jobs: 1, ledger: 4 });
    },
  );

  it('is not made again by events that come late, and they leave nothing in the ledger', async () => {
    await newRemoval().run(removed('old'));
    const late = failed('old')
      .retryRequested('r')
      .refused('r', 'RetryRequested', 'superseded')
      .purged(1, [[0, 1]]);
    await hear(late.events);
    expect(await kept('old')).toEqual(nothing);
    expect(await kept('other')).toMatchObject({ jobs: 1, ledger: 4 });
  });

  it('is not made again by an event that comes while it is being removed', async () => {
    const late = failed('old').retryRequested('r').events.slice(-1);
    for (const method of ['noteRemoved', 'remove'] as const) {
      const during = new Proxy(jobs, {
        get(object, name) {
          const value: unknown = Reflect.get(object, name);
          if (typeof value !== 'function') return value;
          return async (...args: unknown[]): Promise<unknown> => {
            if (name === method) await hear(late);
            return (value as (...all: unknown[]) => unknown).apply(object, args);
          };
        },
      });
      await newRemoval({ jobs: during }).run(removed('old'));
      expect([method, await kept('old')]).toEqual([method, nothing]);
      await database.db.collection('removals').deleteMany({});
      await hear(failed('old').events);
    }
  });

  it('makes way for another one with its id, requested later, which a repetition of the removal leaves alone', async () => {
    await newRemoval().run(removed('old'));
    const again = new Story('old', now.getTime() + 1000).requested().started();
    await hear(again.events);
    await newRemoval().run(removed('old'));
    await hear(again.batch(3, 0).events.slice(-1));
    expect((await jobs.read('old'))?.job).toMatchObject({ status: 'running', totals: { succeeded: 3 }, sequence: 2 });
    expect(await kept('old')).toMatchObject({ jobs: 1, ledger: 3 });
  });

  it('gives none of its positions to a later event', async () => {
    const idle = new Appender(ledger, 0);
    const [first, ...events] = failed('third').events.map(compact);
    expect(await idle.append(first!)).toMatchObject({ position: 9 });
    const second = new Appender(ledger);
    for (const event of events) await second.append(event);
    await newRemoval().run(removed('third'));
    const [fourth, fifth] = failed('fourth').events.map(compact);
    expect(await new Appender(ledger).append(fourth!)).toMatchObject({ position: 13 });
    expect(await idle.append(fifth!)).toMatchObject({ position: 14 });
  });
});

it('a monitor has an old job removed by the deleter, and then forgets it', async () => {
  const { broker, publisher } = monitor;
  const databasePrefix = `x${randomBytes(6).toString('hex')}-`;
  const app = await startMonitor({
    rabbitmq: vhost.url,
    mongodb: testServer('MONGODB_URL'),
    databasePrefix,
    jobRetentionMs: 300 * DAY_MS,
  });
  const channel = await broker.openChannel();
  try {
    const asked: AnyMessage[] = [];
    await channel.consume(
      workQueues.deleterJobs.name,
      (delivery) => {
        const parsed = delivery && parseMessage(delivery.content);
        if (!parsed?.ok) return;
        asked.push(parsed.message);
        if (parsed.message.type === 'JobExpired') void publisher.publish(answerTo(parsed.message));
      },
      { noAck: true },
    );
    const read = async (job: string) => (await app.get(`/internal/jobs/${job}?tenant=tenant-1`)).status;
    const [old, young] = [failed('expires'), new Story('stays', Date.now() - DAY_MS).requested().started().failed()];
    for (const event of [...young.events, ...old.events]) await publisher.publish(event);
    await until('the old job is asked to go', () => asked.some(({ type }) => type === 'JobExpired'), 30_000);
    await until('the old job is gone', async () => (await read('expires')) === 404, 30_000);
    expect(asked.filter(({ type }) => type === 'JobExpired').map(({ subject }) => subject)).toContain('expires');

    // What comes late is acknowledged, and makes no job.
    for (const event of old.retryRequested('r').events) await publisher.publish(event);
    const mark = new Story('mark', Date.now()).requested();
    await publisher.publish(mark.events[0]!);
    await until('what came later is folded', async () => (await read('mark')) === 200, 30_000);
    expect([await read('expires'), await read('stays')]).toEqual([404, 200]);
  } finally {
    await channel.close();
    await app.stop();
    await database.store.db(`${databasePrefix}monitor`).dropDatabase();
  }
});

const answerTo = ({ subject, time }: JobExpired): JobRemoved => removed(subject, new Date(time));
