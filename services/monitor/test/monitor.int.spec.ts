import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  type AnyMessage,
  ActiveJobsAnswer,
  EventsAnswer,
  FailuresAnswer,
  JobAnswer,
  JobsAnswer,
  type Message,
  parseMessage,
  positions,
  ResourcesAnswer,
  WorkerHeartbeat,
  workQueues,
} from '@expunge/contracts';
import { createVhost, until, type Vhost } from '@expunge/local-stack';
import type { BrokerConnection, BrokerPublisher } from '@expunge/messaging';
import { openStore, type Store } from '@expunge/runtime/store';
import { LedgerRepository } from '../src/ledger/ledger.repository.js';
import { evolve } from '../src/projection/evolve.js';
import type { JobProjection } from '../src/projection/job.js';
import { JobRepository } from '../src/projection/job.repository.js';
import { type MonitorApp, startMonitor } from './monitor-app.js';
import { connectAs, silent, testServer } from './servers.js';
import { Story } from '../src/testing/story.js';

jest.setTimeout(60_000);

let vhost: Vhost;
let store: Store;
let deleter: Awaited<ReturnType<typeof connectAs>>;
let broker: BrokerConnection;
let publisher: BrokerPublisher;
const databasePrefix = `m${randomBytes(6).toString('hex')}-`;
const running: MonitorApp[] = [];

beforeAll(async () => {
  const name = `monitor-${randomBytes(6).toString('hex')}`;
  vhost = await createVhost(testServer('RABBITMQ_URL'), testServer('RABBITMQ_MANAGEMENT_URL'), name);
  store = openStore(testServer('MONGODB_URL'), 'test', silent);
  deleter = await connectAs('deleter', vhost.url);
  ({ broker, publisher } = deleter);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((monitor) => monitor.stop()));
});

afterAll(async () => {
  await deleter.close();
  await store.db(`${databasePrefix}monitor`).dropDatabase();
  await store.close();
  await vhost.drop();
});

async function start(): Promise<MonitorApp> {
  const monitor = await startMonitor({ rabbitmq: vhost.url, mongodb: testServer('MONGODB_URL'), databasePrefix });
  running.push(monitor);
  return monitor;
}

const publishAll = (messages: Message[]) => Promise.all(messages.map((message) => publisher.publish(message)));

async function read(monitor: MonitorApp, job: string): Promise<JobAnswer['job'] | null> {
  const { status, body } = await monitor.get(`/internal/jobs/${job}?tenant=tenant-1`);
  return status === 200 ? JobAnswer.parse(body).job : null;
}

const becomes = (monitor: MonitorApp, job: string, status: string) =>
  until(`${job} is ${status}`, async () => (await read(monitor, job))?.status === status, 40_000);

/** In an order of its own, the same at every run. */
function shuffled<T>(elements: T[]): T[] {
  const rest = [...elements];
  const order: T[] = [];
  for (let seed = 42; rest.length > 0; seed = (seed * 48_271) % 0x7fffffff)
    order.push(...rest.splice(seed % rest.length, 1));
  return order;
}

function wholeJob(job: string): Story {
  const story = new Story(job, Date.now() - 30_000).requested().started(60);
  for (let batch = 1; batch <= 6; batch++)
    story
      .batch(10, 25)
      .purged(batch, [[0, 9]])
      .purged(batch, [[10, 24]]);
  return story.finished().recordsVerified().objectsChecked();
}

/** The deleter's answer to EventsWanted, from the events of a story. */
function wantedOf(events: AnyMessage[], message: AnyMessage): AnyMessage[] {
  if (message.type !== 'EventsWanted') return [];
  const { sequences = [], after = Infinity, batches = [] } = message.data;
  return events.filter(
    (event) =>
      event.subject === message.subject &&
      event.sequence !== undefined &&
      (event.sequence > after ||
        positions.has(sequences, event.sequence) ||
        (event.type === 'BatchDeleted' && positions.has(batches, event.data.batch))),
  );
}

describe('the monitor', () => {
  it('folds events in any order and repetition to the exact projection, and says that the job is completed', async () => {
    const monitor = await start();
    const stories = ['shuffled-1', 'shuffled-2', 'shuffled-3'].map(wholeJob);
    const events = stories.flatMap((story) => story.events);
    await publishAll(shuffled([...events, ...events]));
    const jobs = new JobRepository(store.db(`${databasePrefix}monitor`));
    const ledger = new LedgerRepository(store.db(`${databasePrefix}monitor`));
    for (const { job, events: told } of stories) {
      await becomes(monitor, job, 'completed');
      const view = await read(monitor, job);
      expect(view?.progress).toMatchObject({ succeeded: 60, failed: 0, total: 60, percent: 100 });
      expect(view?.progress.objects).toEqual({ handedOver: 150, purged: 150, failed: 0, retained: 0, pending: 0 });
      const recorded = await ledger.eventsOf(job, 0, 1000);
      // Whether it had to ask for the verification depends on what came first.
      const said = recorded.filter(({ type }) => type !== 'VerificationRequested');
      expect(said.map(({ _id }) => _id).sort()).toEqual([...told.map(({ id }) => id), `${job}:completed:8`].sort());
      await until(
        'the repetitions are folded',
        async () => (await broker.queueDepth(workQueues.monitorEvents.name)) === 0,
        10_000,
      );
      expect((await jobs.read(job))?.job).toEqual(recorded.reduce<JobProjection | null>(evolve, null));
    }
  });

  it('gets back what a purged queue lost, and completes the job', async () => {
    const story = wholeJob('purged-queue');
    await publishAll(story.events.filter(({ source }) => source === 'deleter'));
    const channel = await broker.openChannel();
    const { messageCount } = await channel.purgeQueue(workQueues.monitorEvents.name);
    expect(messageCount).toBe(9);
    await channel.purgeQueue(workQueues.deleterJobs.name);
    // The deleter's side: it says what it knows in its heartbeat, and publishes again what it is asked for.
    const asked: AnyMessage[] = [];
    await channel.consume(
      workQueues.deleterJobs.name,
      (delivery) => {
        const parsed = delivery && parseMessage(delivery.content);
        if (!parsed?.ok) return;
        asked.push(parsed.message);
        void publishAll(wantedOf(story.events, parsed.message));
      },
      { noAck: true },
    );
    const monitor = await start();
    await publishAll(story.events.filter(({ source }) => source === 'storage-cleaner').slice(1));
    const beat = setInterval(
      () => void publisher.publish(heartbeat({ 'purged-queue': 9 })).catch(() => undefined),
      500,
    );
    try {
      await until('the deleter is asked', () => asked.length > 0, 20_000);
      expect(asked[0]).toMatchObject({ type: 'EventsWanted', subject: 'purged-queue', tenantid: 'tenant-1' });
      await until(
        'only the lost purge is missing',
        async () => (await read(monitor, 'purged-queue'))?.progress.objects.pending === 10,
        20_000,
      );
      await publishAll(story.events.filter(({ source }) => source === 'storage-cleaner').slice(0, 1));
      await becomes(monitor, 'purged-queue', 'completed');
      expect((await read(monitor, 'purged-queue'))?.progress).toMatchObject({
        succeeded: 60,
        objects: { purged: 150 },
      });
    } finally {
      clearInterval(beat);
      await channel.close();
    }
  });

  it('lists what a job has left, a page at a time, and no longer what a retry made good', async () => {
    const monitor = await start();
    const failures = Array.from({ length: 3 }, (_, i) => ({
      id: `r${i}`,
      code: 'KEY_UNREADABLE' as const,
      message: 'attachments holds something that is no object key',
    }));
    const story = new Story('left', Date.now() - 30_000)
      .requested()
      .started()
      .batch(5, 3, { failures })
      .purged(1, [[0, 0]])
      .purgeFailed(1, [[1, 2]])
      .finished()
      .recordsVerified(1)
      .objectsChecked(1, [
        [
          1,
          [
            [0, 0],
            [2, 2],
          ],
        ],
      ]);
    await publishAll(story.events);
    await becomes(monitor, 'left', 'completed_with_residue');
    const list = async (limit: number) => {
      const all: FailuresAnswer['failures'] = [];
      for (let cursor = ''; ;) {
        const query = `tenant=tenant-1&limit=${limit}${cursor && `&cursor=${cursor}`}`;
        const page = FailuresAnswer.parse((await monitor.get(`/internal/jobs/left/failures?${query}`)).body);
        expect(page.failures.length).toBeLessThanOrEqual(limit);
        all.push(...page.failures);
        if (page.nextCursor === null) return all.map(({ kind, id, key }) => `${kind} ${id ?? key}`).sort();
        cursor = page.nextCursor;
      }
    };
    const records = ['record r0', 'record r1', 'record r2'];
    const left = ['record-left left-0', 'object-left tenants/t/1/0'];
    const denied = ['object tenants/t/1/1', 'object tenants/t/1/2'];
    // What failed is told as failed: that it is still there is no news.
    for (const limit of [2, 100]) expect(await list(limit)).toEqual([...records, ...left, ...denied].sort());
    expect(await read(monitor, 'left')).toMatchObject({
      residue: { records: { left: 1 }, objects: { present: 1 } },
    });

    const before = story.events.length;
    story
      .retried('r')
      .askedAgain(1, [[1, 2]], 1)
      .purged(1, [[1, 2]])
      .finished()
      .recordsVerified()
      .objectsChecked();
    await publishAll(story.events.slice(before));
    await until('only records are left', async () => (await list(100)).length === 3, 20_000);
    expect(await list(100)).toEqual(records);
    expect(await monitor.get('/internal/jobs/left/failures?tenant=tenant-2')).toMatchObject({ status: 404 });
  });

  it("answers reads: pages, a job's events, indexes, and how fresh they are; another tenant's job is no job", async () => {
    const monitor = await start();
    await publishAll(['read-1', 'read-2', 'read-3'].flatMap((job) => new Story(job).requested().events));
    const all = ['read-1', 'read-2', 'read-3'];
    const folded = async () => (await Promise.all(all.map((job) => read(monitor, job)))).every((job) => job !== null);
    await until('all are folded', folded, 10_000);

    const first = JobsAnswer.parse((await monitor.get('/internal/jobs?tenant=tenant-1&status=queued&limit=2')).body);
    const rest = await monitor.get(`/internal/jobs?tenant=tenant-1&status=queued&limit=2&cursor=${first.nextCursor!}`);
    const ids = [...first.jobs, ...JobsAnswer.parse(rest.body).jobs].map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    expect(ids).toEqual(expect.arrayContaining(['read-3', 'read-2', 'read-1']));

    const active = [];
    for (let after: string | null = 'read'; after !== null;) {
      const { body } = await monitor.get(`/internal/active-jobs?after=${after}&limit=1`);
      const page = ActiveJobsAnswer.parse(body);
      active.push(...page.jobs);
      after = page.next;
    }
    expect(active).toEqual(all.map((id) => ({ id, tenant: 'tenant-1' })));
    expect(await monitor.get('/internal/known-jobs?ids=none,read-1')).toEqual({
      status: 200,
      body: { known: ['read-1'] },
    });

    const events = EventsAnswer.parse((await monitor.get('/internal/jobs/read-1/events?tenant=tenant-1')).body);
    expect(events.events.map(({ type }) => type)).toEqual(['DeleteRequested']);
    expect(events.asOf.position).toBeGreaterThanOrEqual(events.events[0]!.position);
    expect(events.asOf.monitorHeartbeatAgeMs).toBeLessThan(5000);

    await publisher.publish(heartbeat({}));
    const command = 'db.receipts.createIndex({"previewKey":1})';
    await until(
      'the missing index is told',
      async () => {
        const { resources } = ResourcesAnswer.parse((await monitor.get('/internal/resources')).body);
        return resources[0]?.missingIndexes?.[0]?.command === command;
      },
      10_000,
    );
    expect(await monitor.get('/internal/jobs/read-1?tenant=tenant-2')).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
    expect(await monitor.get('/internal/jobs?tenant=tenant-1&cursor=x')).toMatchObject({
      status: 400,
      body: { code: 'invalid' },
    });
  });

  it('lists each job that was there once, while others come in between two pages', async () => {
    const monitor = await start();
    const [tenant, noon] = ['tenant-pages', Date.parse('2026-11-01T12:00:00.000Z')];
    const hours = (n: number) => noon + n * 3_600_000;
    const isListed = async (job: string) =>
      (await monitor.get(`/internal/jobs/${job}?tenant=${tenant}`)).status === 200;
    const come = async (jobs: [job: string, requestedAt: number][]) => {
      await publishAll(jobs.flatMap(([job, at]) => new Story(job, at, tenant).requested().events));
      for (const [job] of jobs) await until(`${job} is folded`, () => isListed(job), 10_000);
    };
    // Two of one moment, which the end of a page parts.
    await come([
      ['there-1', hours(1)],
      ['there-2', hours(2)],
      ['there-3', hours(3)],
      ['there-4', hours(3)],
      ['there-5', hours(5)],
    ]);
    const arrivals: [string, number][][] = [
      [
        ['newer-1', hours(6)],
        ['newer-2', hours(7)],
      ],
      [
        ['newer-3', hours(8)],
        ['heard-late', hours(0)],
      ],
    ];
    const pages: string[][] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = `tenant=${tenant}&limit=2${cursor && `&cursor=${cursor}`}`;
      const page = JobsAnswer.parse((await monitor.get(`/internal/jobs?${query}`)).body);
      pages.push(page.jobs.map(({ id }) => id));
      cursor = page.nextCursor;
      await come(arrivals.shift() ?? []);
    }
    expect(pages).toEqual([
      ['there-5', 'there-4'],
      ['there-3', 'there-2'],
      ['there-1', 'heard-late'],
    ]);
  });
});

function heartbeat(sequences: Record<string, number>): Message {
  const now = new Date().toISOString();
  const keys = { previewKey: 1 as const };
  return WorkerHeartbeat.create({
    id: randomBytes(8).toString('hex'),
    source: 'deleter',
    subject: 'test-deleter',
    time: now,
    data: {
      service: 'deleter',
      instance: 'test-deleter',
      host: 'test',
      pid: process.pid,
      version: 'test',
      startedAt: now,
      state: 'running',
      ready: true,
      consumes: [],
      doing: null,
      lastError: null,
      sequences,
      missingIndexes: [{ resource: 'receipts', keys, command: 'db.receipts.createIndex({"previewKey":1})' }],
    },
  });
}
