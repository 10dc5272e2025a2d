import type { ResourceDefinition } from '@expunge/contracts';
import { type BrokerConnection, type Identity, PUBLISHER, type Publisher } from '@expunge/messaging';
import {
  ACTIVITY,
  BROKER,
  IDENTITY,
  loadResources,
  LOGGER,
  openStore,
  READINESS,
  type Readiness,
  SETTINGS,
  type Store,
} from '@expunge/runtime';
import {
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { Logger } from 'pino';
import { AnswerService } from './answer.service.js';
import { Backlog } from './backlog.service.js';
import { BatchService } from './batch.service.js';
import { ControlService } from './control.service.js';
import { DeleteRequestService } from './delete-request.service.js';
import { EventStore } from './jobs/event-store.repository.js';
import { JobRepository } from './jobs/job.repository.js';
import { LeftoversRepository } from './jobs/leftovers.repository.js';
import { Outbox } from './outbox.service.js';
import { RECORDS, type Records } from './records/records.js';
import { RecordsRepository } from './records/records.repository.js';
import { RequestsConsumer } from './requests.consumer.js';
import { SelfReport } from './self-report.service.js';
import type { DeleterSettings } from './settings.js';
import { SliceService } from './slice.service.js';
import { SlicesConsumer } from './slices.consumer.js';
import { Turns } from './turns.service.js';
import { Watchdog } from './watchdog.service.js';

const STORE = Symbol('Store');
const RECORDS_STORE = Symbol('RecordsStore');
const RESOURCES = Symbol('Resources');
const DATABASE = Symbol('Database');
const INDEX_RETRY_MS = 2000;

type Resources = ReadonlyMap<string, ResourceDefinition>;

@Module({
  controllers: [RequestsConsumer, SlicesConsumer],
  providers: [
    { provide: RESOURCES, inject: [SETTINGS], useFactory: (s: DeleterSettings) => loadResources(s.RESOURCES_FILE) },
    {
      provide: STORE,
      inject: [SETTINGS, LOGGER],
      useFactory: (s: DeleterSettings, log: Logger) => openStore(s.MONGODB_URL, 'deleter', log),
    },
    {
      provide: RECORDS_STORE,
      inject: [SETTINGS, LOGGER],
      useFactory: (s: DeleterSettings, log: Logger) => openStore(s.RECORDS_MONGODB_URL, 'deleter-records', log),
    },
    {
      provide: DATABASE,
      inject: [STORE, SETTINGS],
      useFactory: (store: Store, s: DeleterSettings) => store.db(`${s.DATABASE_PREFIX}deleter`),
    },
    {
      provide: RECORDS,
      inject: [RECORDS_STORE, RESOURCES],
      useFactory: (store: Store, resources: Resources) => new RecordsRepository(store.db(), resources),
    },
    { provide: JobRepository, inject: [DATABASE], useFactory: (db: ReturnType<Store['db']>) => new JobRepository(db) },
    { provide: EventStore, inject: [DATABASE], useFactory: (db: ReturnType<Store['db']>) => new EventStore(db) },
    {
      provide: LeftoversRepository,
      inject: [DATABASE],
      useFactory: (db: ReturnType<Store['db']>) => new LeftoversRepository(db),
    },
    {
      provide: Outbox,
      inject: [EventStore, PUBLISHER],
      useFactory: (...parts: ConstructorParameters<typeof Outbox>) => new Outbox(...parts),
    },
    { provide: Turns, inject: [PUBLISHER], useFactory: (publisher: Publisher) => new Turns(publisher) },
    {
      provide: Backlog,
      inject: [BROKER, SETTINGS],
      useFactory: (broker: BrokerConnection, s: DeleterSettings) => new Backlog(broker, s.MAX_PENDING_OBJECTS),
    },
    {
      provide: BatchService,
      inject: [RECORDS, LeftoversRepository, IDENTITY],
      useFactory: (records: Records, leftovers: LeftoversRepository, { instance }: Identity) =>
        new BatchService(records, leftovers, instance),
    },
    {
      provide: AnswerService,
      inject: [JobRepository, RECORDS, BatchService, Outbox, Turns, RESOURCES, IDENTITY, SETTINGS, LOGGER],
      useFactory: (
        jobs: JobRepository,
        records: Records,
        batches: BatchService,
        outbox: Outbox,
        turns: Turns,
        resources: Resources,
        { instance }: Identity,
        s: DeleterSettings,
        log: Logger,
      ) =>
        new AnswerService(jobs, records, batches, outbox, turns, resources, {
          instance,
          storeRetryForMs: s.STORE_RETRY_FOR,
          log,
        }),
    },
    {
      provide: ControlService,
      inject: [JobRepository, EventStore, Outbox, AnswerService, Turns, PUBLISHER, SETTINGS, LOGGER],
      useFactory: (
        jobs: JobRepository,
        events: EventStore,
        outbox: Outbox,
        answers: AnswerService,
        turns: Turns,
        publisher: Publisher,
        s: DeleterSettings,
        log: Logger,
      ) =>
        new ControlService(jobs, events, outbox, answers, turns, publisher, {
          storeRetryForMs: s.STORE_RETRY_FOR,
          log,
        }),
    },
    {
      provide: SliceService,
      inject: [
        JobRepository,
        RECORDS,
        BatchService,
        Outbox,
        Turns,
        AnswerService,
        Backlog,
        RESOURCES,
        IDENTITY,
        SETTINGS,
        LOGGER,
      ],
      useFactory: (
        jobs: JobRepository,
        records: Records,
        batches: BatchService,
        outbox: Outbox,
        turns: Turns,
        answers: AnswerService,
        backlog: Backlog,
        resources: Resources,
        { instance, startedAt }: Identity,
        s: DeleterSettings,
        log: Logger,
      ) =>
        new SliceService(jobs, records, batches, outbox, turns, answers, backlog, resources, {
          instance,
          process: `${instance}@${startedAt.toISOString()}`,
          storeRetryForMs: s.STORE_RETRY_FOR,
          log,
        }),
    },
    {
      provide: DeleteRequestService,
      inject: [JobRepository, RECORDS, Outbox, Turns, PUBLISHER, RESOURCES, IDENTITY, LOGGER],
      useFactory: (
        jobs: JobRepository,
        records: Records,
        outbox: Outbox,
        turns: Turns,
        publisher: Publisher,
        resources: Resources,
        { instance }: Identity,
        log: Logger,
      ) => new DeleteRequestService(jobs, records, outbox, turns, publisher, resources, { instance, log }),
    },
    {
      provide: Watchdog,
      inject: [JobRepository, Turns, LOGGER],
      useFactory: (...parts: ConstructorParameters<typeof Watchdog>) => new Watchdog(...parts),
    },
    {
      provide: SelfReport,
      inject: [JobRepository, RECORDS, RESOURCES, ACTIVITY],
      useFactory: (...parts: ConstructorParameters<typeof SelfReport>) => new SelfReport(...parts),
    },
  ],
})
export class DeleterModule implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  private readonly closing = new AbortController();

  constructor(
    private readonly jobs: JobRepository,
    private readonly events: EventStore,
    private readonly leftovers: LeftoversRepository,
    private readonly watchdog: Watchdog,
    private readonly report: SelfReport,
    @Inject(STORE) private readonly store: Store,
    @Inject(RECORDS_STORE) private readonly recordsStore: Store,
    @Inject(READINESS) private readonly readiness: Readiness,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.readiness.register('mongodb', () => this.store.ping());
    this.readiness.register('records', () => this.recordsStore.ping());
    this.createIndexes();
    this.watchdog.start();
    this.report.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.closing.abort();
    this.report.stop();
    await this.watchdog.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.store.close(), this.recordsStore.close()]);
  }

  /** In the background: the service starts, and can be asked for its health, while its database is away. */
  private createIndexes(): void {
    Promise.all([this.jobs.createIndexes(), this.events.createIndexes(), this.leftovers.createIndexes()]).catch(
      (error: unknown) => {
        if (this.closing.signal.aborted) return;
        this.log.warn({ err: error }, 'could not create indexes yet');
        setTimeout(() => this.createIndexes(), INDEX_RETRY_MS).unref();
      },
    );
  }
}
