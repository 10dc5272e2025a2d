import type { ResourceDefinition } from '@expunge/contracts';
import { type BrokerConnection, type Identity, PUBLISHER } from '@expunge/messaging';
import {
  ACTIVITY,
  BROKER,
  CheckQuestions,
  IDENTITY,
  loadResources,
  LOGGER,
  READINESS,
  type Readiness,
  SETTINGS,
} from '@expunge/runtime';
import { openStore, type Store } from '@expunge/runtime/store';
import {
  type FactoryProvider,
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
import { BrakesService } from './brakes.service.js';
import { ControlService } from './control.service.js';
import { DeleteRequestService } from './delete-request.service.js';
import { ExpiryService } from './expiry.service.js';
import { EventStore } from './jobs/event-store.repository.js';
import { JobRepository } from './jobs/job.repository.js';
import { SharedLimitRepository } from './jobs/shared-limit.repository.js';
import { FailedPurgesRepository } from './jobs/failed-purges.repository.js';
import { LeftoversRepository } from './jobs/leftovers.repository.js';
import { Outbox } from './outbox.service.js';
import { Preflight } from './preflight.service.js';
import { PurgeAgainService } from './purge-again.service.js';
import { RECORDS, type Records } from './records/records.js';
import { RecordsRepository } from './records/records.repository.js';
import { ResourceProbe } from './records/resource-probe.repository.js';
import { RequestsConsumer } from './requests.consumer.js';
import { ResourceCheckConsumer } from './resource-check.consumer.js';
import { ResourceCheckService } from './resource-check.service.js';
import { SelfReport } from './self-report.service.js';
import type { DeleterSettings } from './settings.js';
import { SharedLimit } from './shared-limit.service.js';
import { SliceService } from './slice.service.js';
import { SlicesConsumer } from './slices.consumer.js';
import { Turns } from './turns.service.js';
import { VerificationService } from './verification.service.js';
import { Watchdog } from './watchdog.service.js';

const STORE = Symbol('Store');
const RECORDS_STORE = Symbol('RecordsStore');
const RESOURCES = Symbol('Resources');
const DATABASE = Symbol('Database');
const INDEX_RETRY_MS = 2000;

/** What the services of a worker say and go by: its instance, its process, its settings. */
const WORKER = Symbol('Worker');

type Resources = ReadonlyMap<string, ResourceDefinition>;

/** A provider that makes the class of these parts, in the order of its constructor. */
const made = (service: new (...parts: never[]) => object, ...inject: FactoryProvider['inject'] & object) => ({
  provide: service,
  inject,
  useFactory: (...parts: never[]) => new service(...parts),
});

@Module({
  controllers: [RequestsConsumer, SlicesConsumer, ResourceCheckConsumer],
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
    {
      provide: ResourceProbe,
      inject: [RECORDS_STORE, RECORDS],
      useFactory: (store: Store, records: RecordsRepository) => new ResourceProbe(store.db(), records),
    },
    made(ResourceCheckService, ResourceProbe, RESOURCES),
    made(CheckQuestions, BROKER, LOGGER),
    made(Preflight, ResourceProbe, CheckQuestions, WORKER),
    made(JobRepository, DATABASE),
    made(EventStore, DATABASE),
    made(LeftoversRepository, DATABASE),
    made(FailedPurgesRepository, DATABASE),
    {
      provide: WORKER,
      inject: [IDENTITY, SETTINGS, LOGGER],
      useFactory: ({ instance, startedAt }: Identity, s: DeleterSettings, log: Logger) => ({
        instance,
        process: `${instance}@${startedAt.toISOString()}`,
        storeRetryForMs: s.STORE_RETRY_FOR,
        noProgressForMs: s.NO_PROGRESS_FOR,
        confirmAbove: s.CONFIRM_ABOVE,
        maxRecordsPerSecond: s.MAX_RECORDS_PER_SECOND ?? null,
        failures: { maxShare: s.MAX_FAILURE_SHARE, minSample: s.MIN_FAILURE_SAMPLE },
        log,
      }),
    },
    made(Outbox, EventStore, PUBLISHER),
    made(Turns, PUBLISHER),
    {
      provide: Backlog,
      inject: [BROKER, SETTINGS],
      useFactory: (broker: BrokerConnection, s: DeleterSettings) => new Backlog(broker, s.MAX_PENDING_OBJECTS),
    },
    made(SharedLimitRepository, DATABASE),
    made(SharedLimit, SharedLimitRepository, JobRepository, Turns, WORKER),
    {
      provide: BatchService,
      inject: [RECORDS, LeftoversRepository, IDENTITY, SharedLimit],
      useFactory: (records: Records, leftovers: LeftoversRepository, { instance }: Identity, limit: SharedLimit) =>
        new BatchService(records, leftovers, instance, limit.maxRecordsPerSecond),
    },
    made(PurgeAgainService, FailedPurgesRepository, EventStore, RECORDS),
    made(AnswerService, JobRepository, RECORDS, BatchService, Outbox, Turns, RESOURCES, WORKER),
    made(ControlService, JobRepository, EventStore, Outbox, AnswerService, Turns, PUBLISHER, WORKER),
    made(
      SliceService,
      JobRepository,
      RECORDS,
      BatchService,
      Outbox,
      Turns,
      AnswerService,
      Preflight,
      Backlog,
      SharedLimit,
      PurgeAgainService,
      RESOURCES,
      WORKER,
    ),
    made(BrakesService, JobRepository, RECORDS, WORKER),
    made(DeleteRequestService, JobRepository, RECORDS, BrakesService, Outbox, Turns, PUBLISHER, RESOURCES, WORKER),
    made(
      VerificationService,
      JobRepository,
      RECORDS,
      LeftoversRepository,
      EventStore,
      Outbox,
      PUBLISHER,
      RESOURCES,
      WORKER,
    ),
    made(ExpiryService, JobRepository, EventStore, LeftoversRepository, FailedPurgesRepository, PUBLISHER, LOGGER),
    made(Watchdog, JobRepository, Turns, LOGGER),
    made(SelfReport, JobRepository, RECORDS, RESOURCES, SharedLimit, ACTIVITY),
  ],
})
export class DeleterModule implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  private readonly closing = new AbortController();

  constructor(
    private readonly jobs: JobRepository,
    private readonly events: EventStore,
    private readonly leftovers: LeftoversRepository,
    private readonly failedPurges: FailedPurgesRepository,
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
    const indexed = [this.jobs, this.events, this.leftovers, this.failedPurges];
    Promise.all(indexed.map((repository) => repository.createIndexes())).catch((error: unknown) => {
      if (this.closing.signal.aborted) return;
      this.log.warn({ err: error }, 'could not create indexes yet');
      setTimeout(() => this.createIndexes(), INDEX_RETRY_MS).unref();
    });
  }
}
