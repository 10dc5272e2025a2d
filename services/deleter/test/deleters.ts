import {
  type AnyMessage,
  DeleteRequested,
  type DeleteRequest,
  deleteRequestedId,
  MAINTENANCE_EXCHANGE,
  parseMessage,
  receipts,
  type ResourceDefinition,
  workQueues,
} from '@expunge/contracts';
import { BrokerConnection, BrokerPublisher, type Publisher } from '@expunge/messaging';
import { openStore, type Store } from '@expunge/runtime/store';
import { type Db, ObjectId } from 'mongodb';
import { type Logger, pino } from 'pino';
import { type Database, freshDatabase, freshVhost } from '../../../test/support/servers.js';
import { AnswerService } from '../src/answer.service.js';
import { Backlog } from '../src/backlog.service.js';
import { BatchService } from '../src/batch.service.js';
import { BrakesService } from '../src/brakes.service.js';
import { ControlService } from '../src/control.service.js';
import { hasTurns } from '../src/deletion-job/deletion-job.js';
import { DeleteRequestService } from '../src/delete-request.service.js';
import { ExpiryService } from '../src/expiry.service.js';
import { EventStore } from '../src/jobs/event-store.repository.js';
import { FailedPurgesRepository } from '../src/jobs/failed-purges.repository.js';
import { JobRepository } from '../src/jobs/job.repository.js';
import { LeftoversRepository } from '../src/jobs/leftovers.repository.js';
import { SharedLimitRepository } from '../src/jobs/shared-limit.repository.js';
import { Outbox } from '../src/outbox.service.js';
import type { Preflight } from '../src/preflight.service.js';
import { PurgeAgainService } from '../src/purge-again.service.js';
import type { Records } from '../src/records/records.js';
import { RecordsRepository } from '../src/records/records.repository.js';
import { SharedLimit } from '../src/shared-limit.service.js';
import { type SliceLimits, SliceService } from '../src/slice.service.js';
import { Turns } from '../src/turns.service.js';
import { VerificationService } from '../src/verification.service.js';
import { Watchdog } from '../src/watchdog.service.js';

export interface Deleter {
  instance: string;
  jobs: JobRepository;
  events: EventStore;
  requests: DeleteRequestService;
  control: ControlService;
  expiry: ExpiryService;
  slices: SliceService;
  failedPurges: FailedPurgesRepository;
  verification: VerificationService;
  watchdog: Watchdog;
  /** Waits are the messages' to sit out; a test goes on at once. */
  skipWait(job: string): Promise<void>;
}

/** What stands between a deleter and the world, for faults: each wraps the real thing. */
export interface Wrappers {
  records?: (records: Records) => Records;
  publisher?: (publisher: Publisher) => Publisher;
  maxPendingObjects?: number;
  confirmAbove?: number;
  maxRecordsPerSecond?: number;
  limits?: Partial<SliceLimits>;
  /** Without it nothing stands in a job's way: there is no storage-cleaner to ask. */
  preflight?: Pick<Preflight, 'obstacle'>;
  jobs?: (jobs: JobRepository) => JobRepository;
  leftovers?: (leftovers: LeftoversRepository) => LeftoversRepository;
  events?: (events: EventStore) => EventStore;
  failedPurges?: (failedPurges: FailedPurgesRepository) => FailedPurgesRepository;
}

const EVENTS = 'test.events';
const log: Logger = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });

/** A real broker and a real database engine, and as many deleters on them as a test wants; slices run when it says so. */
export class World {
  private lives = 0;

  private constructor(
    private readonly database: Database,
    private readonly records: Database,
    private readonly vhost: { drop(): Promise<void> },
    private readonly stores: [Store, Store],
    private readonly broker: BrokerConnection,
    readonly publisher: BrokerPublisher,
  ) {}

  static async create(): Promise<World> {
    const [database, records, vhost] = await Promise.all([
      freshDatabase('deleter'),
      freshDatabase('records'),
      freshVhost(),
    ]);
    const identity = { service: 'deleter', instance: 'test', host: 'test', version: '0', startedAt: new Date() };
    const broker = new BrokerConnection({ url: vhost.url, identity, log });
    broker.start();
    if (!(await broker.whenConnected(10_000))) throw new Error('no broker');
    // A queue with a single active consumer cannot be looked into: events are read from a copy.
    const channel = await broker.openChannel();
    await channel.assertQueue(EVENTS, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue(EVENTS, MAINTENANCE_EXCHANGE, '#');
    await channel.close();
    const stores: [Store, Store] = [openStore(database.url, 'test', log), openStore(records.url, 'test', log)];
    return new World(database, records, vhost, stores, broker, new BrokerPublisher({ broker, log }));
  }

  async destroy(): Promise<void> {
    await this.publisher.close();
    await this.broker.close();
    await Promise.all(this.stores.map((store) => store.close()));
    await Promise.all([this.database.drop(), this.records.drop(), this.vhost.drop()]);
  }

  /** The user's database. */
  get db(): Db {
    return this.stores[1].db();
  }

  get recordsUrl(): string {
    return this.records.url;
  }

  /** The deleter's own. */
  get own(): Db {
    return this.stores[0].db();
  }

  async reset(): Promise<void> {
    await Promise.all([this.db.dropDatabase(), this.own.dropDatabase()]);
    const receiptsOf = this.db.collection('receipts');
    await receiptsOf.createIndexes([
      { key: { tenantId: 1, _id: 1 } },
      { key: { 'attachments.key': 1 } },
      { key: { previewKey: 1 } },
    ]);
    await this.published();
  }

  deleter(instance: string, wrap: Wrappers = {}, resources: ResourceDefinition[] = [receipts]): Deleter {
    const same = <T>(part: T): T => part;
    const byName = new Map(resources.map((resource) => [resource.name, resource]));
    const jobs = (wrap.jobs ?? same)(new JobRepository(this.own));
    const events = (wrap.events ?? same)(new EventStore(this.own));
    const leftovers = (wrap.leftovers ?? same)(new LeftoversRepository(this.own));
    const records = (wrap.records ?? same<Records>)(new RecordsRepository(this.db, byName));
    const publisher = (wrap.publisher ?? same<Publisher>)(this.publisher);
    const outbox = new Outbox(events, publisher);
    const turns = new Turns(publisher);
    const preflight = wrap.preflight ?? { obstacle: () => Promise.resolve(null) };
    const backlog = new Backlog(this.broker, wrap.maxPendingObjects ?? 1_000_000);
    const failedPurges = (wrap.failedPurges ?? same)(new FailedPurgesRepository(this.own));
    const purges = new PurgeAgainService(failedPurges, events, records);
    const { confirmAbove = 100_000, maxRecordsPerSecond = null } = wrap;
    this.lives += 1;
    const options = { instance, process: `${instance}@${this.lives}`, storeRetryForMs: 60_000, log };
    const limit = new SharedLimit(new SharedLimitRepository(this.own), jobs, turns, {
      ...options,
      maxRecordsPerSecond,
    });
    const batches = new BatchService(records, leftovers, instance, maxRecordsPerSecond);
    const brakes = new BrakesService(jobs, records, { confirmAbove });
    const limits = { noProgressForMs: 1_800_000, failures: { maxShare: 0.5, minSample: 50 }, ...wrap.limits };
    const answers = new AnswerService(jobs, records, batches, outbox, turns, byName, options);
    return {
      instance,
      jobs,
      events,
      requests: new DeleteRequestService(jobs, records, brakes, outbox, turns, publisher, byName, options),
      control: new ControlService(jobs, events, outbox, answers, turns, publisher, options),
      failedPurges,
      verification: new VerificationService(jobs, records, leftovers, events, outbox, publisher, byName, options),
      slices: new SliceService(
        jobs,
        records,
        batches,
        outbox,
        turns,
        answers,
        preflight,
        backlog,
        limit,
        purges,
        byName,
        {
          ...options,
          ...limits,
        },
      ),
      expiry: new ExpiryService(jobs, events, leftovers, failedPurges, publisher, log),
      watchdog: new Watchdog(jobs, turns, log),
      skipWait: async (job) => {
        await this.own
          .collection<{ _id: string }>('jobs')
          .updateOne(
            { _id: job, 'lanes.0.waiting.retryAt': { $type: 'date' } },
            { $set: { 'lanes.0.waiting.retryAt': new Date(0) } },
          );
      },
    };
  }

  /** Everything published since the last time, by queue. */
  async published(): Promise<Record<'slices' | 'later' | 'batches' | 'events', AnyMessage[]>> {
    const slices = workQueues.deleterSlices.name;
    // First what waits: it may end its wait in between, and would be found in neither.
    const later = await Promise.all([2, 4, 8, 16, 30].map((tier) => this.drain(`${slices}.retry.${tier}s`)));
    return {
      slices: await this.drain(slices),
      later: later.flat(),
      batches: await this.drain(workQueues.storageCleanerBatches.name),
      events: await this.drain(EVENTS),
    };
  }

  async purge(queue: string): Promise<void> {
    const channel = await this.broker.openChannel();
    await channel.purgeQueue(queue);
    await channel.close();
  }

  private async drain(queue: string): Promise<AnyMessage[]> {
    const channel = await this.broker.openChannel();
    const messages: AnyMessage[] = [];
    for (;;) {
      const delivery = await channel.get(queue, { noAck: true });
      if (delivery === false) break;
      const parsed = parseMessage(delivery.content);
      if (!parsed.ok) throw new Error(parsed.reason);
      messages.push(parsed.message);
    }
    await channel.close();
    return messages;
  }
}

export function deleteRequested(job: string, change: Partial<DeleteRequest> = {}, time = new Date()): DeleteRequested {
  return DeleteRequested.create({
    id: deleteRequestedId(job),
    source: 'urn:expunge:api',
    subject: job,
    time: time.toISOString(),
    tenantid: 'acme',
    data: {
      resource: 'receipts',
      selection: { all: true },
      options: { batchSize: 2 },
      requestedBy: 'ops',
      reason: null,
      notAfter: new Date(time.getTime() + 60_000).toISOString(),
      ...change,
    },
  });
}

export const keyOf = (n: number | string): string => `tenants/acme/${n}`;

/** `n` receipts of the tenant, each with a file of its own. */
export async function fill(db: Db, n: number, tenantId = 'acme'): Promise<ObjectId[]> {
  const ids = Array.from({ length: n }, () => new ObjectId());
  await db
    .collection('receipts')
    .insertMany(ids.map((_id, i) => ({ _id, tenantId, attachments: [{ key: `tenants/${tenantId}/${i}` }] })));
  return ids;
}

/** Runs the current turn again and again, as its messages would, until the job is at rest. */
export async function runToEnd(deleter: Deleter, job: string, most = 50): Promise<void> {
  for (let n = 0; n < most; n++) {
    const found = await deleter.jobs.read(job);
    if (!found) throw new Error(`no job ${job}`);
    if (!hasTurns(found) && found.outbox.length === 0) return;
    await deleter.skipWait(job);
    // As if the message had waited for a worker that may be alive, and seen no sign of it.
    await deleter.slices.run(job, found.lanes[0].turn, found.writtenAt.toISOString());
  }
  throw new Error(`job ${job} did not end in ${most} slices`);
}
