import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type AnyMessage,
  type EventsWanted,
  MAINTENANCE_EXCHANGE,
  parseMessage,
  retryQueue,
  type WorkerHeartbeat,
  workQueues,
} from '@expunge/contracts';
import { createVhost, type Vhost } from '@expunge/local-stack';
import { UnroutableError } from '@expunge/messaging';
import { Appender } from '../src/ledger/appender.service.js';
import { compact } from '../src/ledger/compact.js';
import { LedgerRepository } from '../src/ledger/ledger.repository.js';
import { JobRepository } from '../src/projection/job.repository.js';
import { Projector } from '../src/projection/projector.service.js';
import { openTestDatabase, type TestDatabase } from './database.js';
import { connectAs, silent, testServer } from './servers.js';
import { Story } from '../src/testing/story.js';
import { WorkerRepository } from '../src/workers/worker.repository.js';
import { RedriveRepository } from '../src/redrive/redrive.repository.js';
import { Sweep } from '../src/redrive/sweep.service.js';

let vhost: Vhost;
let monitor: Awaited<ReturnType<typeof connectAs>>;
let database: TestDatabase;
let ledger: LedgerRepository;
let jobs: JobRepository;
let workers: WorkerRepository;

beforeAll(async () => {
  const name = `sweep-${randomBytes(6).toString('hex')}`;
  vhost = await createVhost(testServer('RABBITMQ_URL'), testServer('RABBITMQ_MANAGEMENT_URL'), name);
  monitor = await connectAs('monitor', vhost.url);
});

afterAll(async () => {
  await monitor.close();
  await vhost.drop();
});

beforeEach(() => {
  database = openTestDatabase('sweep');
  ledger = new LedgerRepository(database.db);
  jobs = new JobRepository(database.db);
  workers = new WorkerRepository(database.db);
});

afterEach(() => database.drop());

/** Another instance of the monitor, on the same database. */
function newSweep({ broker, publisher } = monitor): Sweep {
  const redrives = new RedriveRepository(database.db);
  return new Sweep({
    jobs,
    ledger,
    workers,
    redrives,
    broker,
    publisher,
    jobRetentionMs: 400 * 86_400_000,
    log: silent,
  });
}

async function hear(events: AnyMessage[]): Promise<void> {
  const [appender, projector] = [new Appender(ledger), new Projector(jobs)];
  for (const event of events) await projector.fold(event.subject, await appender.append(compact(event)));
}

/** What stands in a queue, taken out of it. Publishing waits for the broker's confirm, so there is nothing to wait for. */
async function taken(queue: { name: string } = workQueues.deleterJobs): Promise<AnyMessage[]> {
  const channel = await monitor.broker.openChannel();
  const messages: AnyMessage[] = [];
  for (let got = await channel.get(queue.name); got; got = await channel.get(queue.name)) {
    channel.ack(got);
    const parsed = parseMessage(got.content);
    if (parsed.ok) messages.push(parsed.message);
  }
  await channel.close();
  return messages;
}

/** Sweeps at each of the seconds after `start`; the seconds at which something was asked of the deleter, and what. */
async function asked(sweep: Sweep, start: Date, seconds: number[]): Promise<[number, unknown][]> {
  const all: [number, unknown][] = [];
  for (const second of seconds) {
    await sweep.run(new Date(start.getTime() + second * 1000));
    for (const { type, data } of await taken()) {
      const { validUntil: _, ...wanted } = data as EventsWanted['data'];
      all.push([second, type === 'EventsWanted' ? wanted : type]);
    }
  }
  return all;
}

describe('Sweep', () => {
  it('publishes the request of a job that nobody started again, as it was, after 15, 30, 60 s; from then on it asks for events too', async () => {
    const story = new Story().requested({ ids: ['a', 'b'] });
    await hear(story.events);
    const sweep = newSweep();
    const start = story.after(1);
    await sweep.run(start);
    await sweep.run(new Date(start.getTime() + 15_000));
    expect(await taken()).toEqual(story.events);
    expect(await asked(sweep, start, [29, 30, 59, 60, 119, 120])).toEqual([
      [30, 'DeleteRequested'],
      [59, { after: 0 }],
      [60, 'DeleteRequested'],
      [119, { after: 0 }],
      [120, 'DeleteRequested'],
    ]);
    await hear(new Story().requested().started().events.slice(1));
    expect(await asked(sweep, story.after(2), [0, 15])).toEqual([]);
  });

  it('publishes a request that nobody answered again, as it was, after 15, 30 … s', async () => {
    const story = new Story().requested().started().pauseRequested('p').cancelRequested('c');
    await hear(story.events);
    const sweep = newSweep();
    expect(await asked(sweep, story.after(0), [0, 14])).toEqual([]);
    await sweep.run(story.after(15));
    expect(await taken()).toEqual(story.events.slice(2));
    await hear(story.refused('p', 'PauseRequested', 'superseded').cancelled('c').events.slice(4));
    expect(await asked(sweep, story.after(16), [0, 30, 60])).toEqual([]);
  });

  it('asks for a gap once it is two seconds old, and no more when it closed', async () => {
    const story = new Story().started().batch(1, 0).batch(1, 0);
    const [started, lost, last] = story.events;
    await hear([started!, last!]);
    const sweep = newSweep();
    expect(await asked(sweep, story.after(0), [0, 1, 2])).toEqual([[2, { sequences: [[2, 2]] }]]);
    await hear([lost!]);
    expect(await asked(sweep, story.after(3), [0, 20, 50])).toEqual([]);
  });

  it('asks for an answer within a minute, or until it would ask again', async () => {
    const story = new Story().started().batch(1, 0).batch(1, 0);
    await hear([story.events[0]!, story.events[2]!]);
    const sweep = newSweep();
    for (const [second, valid] of [
      [0, []],
      [2, [60]],
      [17, [60]],
      [47, [60]],
      [107, [120]],
    ] as const) {
      await sweep.run(story.after(second));
      const wanted = (await taken()).map(({ data }) => data as EventsWanted['data']);
      const gaps = wanted.filter(({ sequences }) => sequences);
      expect(gaps.map(({ validUntil }) => validUntil)).toEqual(
        valid.map((seconds) => story.after(second + seconds).toISOString()),
      );
    }
  });

  it('asks once when two monitors sweep at the same time', async () => {
    const story = new Story().started().batch(1, 0).batch(1, 0);
    await hear([story.events[0]!, story.events[2]!]);
    const sweeps = [newSweep(), newSweep(), newSweep()];
    for (const second of [0, 2]) await Promise.all(sweeps.map((sweep) => sweep.run(story.after(second))));
    expect(await taken()).toHaveLength(1);
  });

  it('notes nothing as asked while the broker is away', async () => {
    const story = new Story().requested();
    await hear(story.events);
    const away = await connectAs('monitor', vhost.url);
    const sweep = newSweep(away);
    await sweep.run(story.after(0));
    await away.close();
    for (const second of [15, 30, 60]) await sweep.run(story.after(second));
    expect(await asked(newSweep(), story.after(0), [61])).toContainEqual([61, 'DeleteRequested']);
    expect(await database.db.collection('redrives').findOne()).toMatchObject({ asks: { queued: { times: 1 } } });
  });

  it('asks for other jobs though one cannot be asked for, and then says why', async () => {
    const request = new Story('job-1').requested();
    const story = new Story('job-2').started().batch(1, 0).batch(1, 0);
    await hear([...request.events, story.events[0]!, story.events[2]!]);
    const channel = await monitor.broker.openChannel();
    await channel.unbindQueue(workQueues.deleterJobs.name, MAINTENANCE_EXCHANGE, 'delete.*');
    await channel.unbindQueue(workQueues.monitorEvents.name, MAINTENANCE_EXCHANGE, 'delete.#');
    await channel.close();
    const sweep = newSweep();
    await sweep.run(story.after(0));
    await expect(sweep.run(story.after(15))).rejects.toThrow(UnroutableError);
    expect((await taken()).map(({ subject, type }) => [subject, type])).toEqual([['job-2', 'EventsWanted']]);
    await monitor.broker.assertTopology();
  });

  it('asks for all of a job that only the heartbeat of a deleter knows', async () => {
    await workers.heard(beatOf({ 'never-heard-of': 4 }));
    expect(await asked(newSweep(), new Date(), [0, 4, 5])).toEqual([[5, { after: 0 }]]);
  });

  it('asks for the tail of a job that is settled as far as is known here', async () => {
    const story = new Story().requested().started().failed();
    await hear(story.events);
    await workers.heard(beatOf({ 'job-1': 3 }));
    expect(await asked(newSweep(), story.after(0), [0, 5])).toEqual([[5, { after: 2 }]]);
  });

  it('asks for a batch that no cleaner speaks of, and waits for one that was promised', async () => {
    const story = new Story()
      .started()
      .batch(1, 2)
      .batch(1, 2)
      .finished()
      .purgeDelayed(2, [[0, 1]], 30);
    await hear(story.events);
    const wanted = (await asked(newSweep(), story.after(60), [0, 9, 10])).filter(
      ([, data]) => 'batches' in Object(data),
    );
    expect(wanted).toEqual([[10, { batches: [[1, 2]] }]]);
  });

  it('asks for one batch at a time while the queue of the cleaner or a tier of it holds any', async () => {
    const story = new Story().started().batch(1, 2).batch(1, 2).finished();
    await hear(story.events);
    const { name } = workQueues.storageCleanerBatches;
    const sweep = newSweep();
    const batchesAt = async (second: number) =>
      (await asked(sweep, story.after(60), [second])).filter(([, data]) => 'batches' in Object(data));
    await batchesAt(0);
    await monitor.publisher.send(name, story.events[1]!, { tier: 30 });
    expect(await batchesAt(60)).toEqual([[60, { batches: [[1, 1]] }]]);
    await taken({ name: retryQueue(name, 30) });
    await monitor.publisher.send(name, story.events[1]!);
    expect(await batchesAt(75)).toEqual([[75, { batches: [[1, 1]] }]]);
    await taken({ name });
    expect(await batchesAt(105)).toEqual([[105, { batches: [[1, 2]] }]]);
  });

  it('asks again what is left of a finished job, until somebody has said so', async () => {
    const story = new Story()
      .started()
      .batch(1, 1)
      .finished()
      .purged(1, [[0, 0]]);
    await hear(story.events);
    const sweep = newSweep();
    await sweep.run(story.after(0));
    await sweep.run(story.after(10));
    expect(await taken({ name: workQueues.deleterJobs.name })).toMatchObject([
      { type: 'VerificationRequested', subject: 'job-1', data: { finished: 3 } },
    ]);
    await hear(story.recordsVerified().events);
    await sweep.run(story.after(20));
    await sweep.run(story.after(40));
    const again = await taken({ name: workQueues.deleterJobs.name });
    expect(again).toMatchObject([{ type: 'VerificationRequested', data: { finished: 3, chunks: [[1, 1]] } }]);
    await hear(story.objectsChecked().events);
    await sweep.run(story.after(50));
    expect(await taken({ name: workQueues.deleterJobs.name })).toEqual([]);
  });

  it('says that a job is completed when whoever folded its last event died before it could', async () => {
    const story = new Story().started().batch(1, 0).finished().recordsVerified(0, 0);
    await hear(story.events);
    // The monitor's own queue has a single active consumer, and cannot be looked into.
    const said = { name: 'said' };
    const channel = await monitor.broker.openChannel();
    await channel.assertQueue(said.name, { durable: true });
    await channel.bindQueue(said.name, MAINTENANCE_EXCHANGE, 'job.completed');
    await channel.close();
    const sweep = newSweep();
    await sweep.run(story.after(0));
    await sweep.run(story.after(5));
    const completions = await taken(said);
    expect(completions).toMatchObject([
      { type: 'JobCompleted', id: 'job-1:completed:3', data: { outcome: 'completed' } },
    ]);
    await hear(completions);
    expect((await jobs.read('job-1'))?.job).toMatchObject({ status: 'completed', settled: true });
    await sweep.run(story.after(60));
    expect(await taken(said)).toEqual([]);
  });
});

function beatOf(sequences: Record<string, number>): WorkerHeartbeat['data'] {
  return {
    service: 'deleter',
    instance: 'deleter-1',
    host: 'test',
    pid: 1,
    version: 'test',
    startedAt: new Date().toISOString(),
    state: 'running',
    ready: true,
    consumes: [],
    doing: null,
    lastError: null,
    sequences,
    missingIndexes: null,
  };
}
