import { type BrokerConnection, ParkedQueues, PUBLISHER, type Publisher, Unconfirmed } from '@expunge/messaging';
import {
  BROKER,
  IDENTITY,
  type Identity,
  loadResources,
  LOGGER,
  READINESS,
  type Readiness,
  SETTINGS,
} from '@expunge/runtime';
import { openStore, type Store } from '@expunge/runtime/store';
import { Module, type Provider } from '@nestjs/common';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { Background } from './background.service.js';
import { DiagnosisService } from './diagnosis/diagnosis.service.js';
import { ParkedWatch } from './diagnosis/parked-watch.service.js';
import { Verdicts } from './diagnosis/verdicts.service.js';
import { JobRemoval } from './expiry/job-removal.service.js';
import { FailuresRepository } from './failures/failures.repository.js';
import { ChangeNotices } from './fold/change-notices.service.js';
import { EventsConsumer } from './fold/events.consumer.js';
import { FoldBeat } from './fold/fold-beat.service.js';
import { FoldMarkRepository } from './fold/fold-mark.repository.js';
import { InHand } from './fold/in-hand.js';
import { JobChanges } from './fold/job-changes.service.js';
import { HistoryController } from './history/history.controller.js';
import { Appender } from './ledger/appender.service.js';
import { LedgerRepository } from './ledger/ledger.repository.js';
import { JobRepository } from './projection/job.repository.js';
import { Projector } from './projection/projector.service.js';
import { ReadsController, RESOURCES } from './reads/reads.controller.js';
import { RedriveRepository } from './redrive/redrive.repository.js';
import { Sweep } from './redrive/sweep.service.js';
import { TopologyReadsController } from './reads/topology-reads.controller.js';
import { MonitorMetrics } from './monitor-metrics.service.js';
import type { MonitorSettings } from './settings.js';
import { BrokerLook } from './topology/broker-look.service.js';
import { ManagementApi } from './topology/management.adapter.js';
import { RollCallRepository } from './topology/roll-call.repository.js';
import { RollCall } from './topology/roll-call.service.js';
import { TopologyWatch } from './topology/topology-watch.service.js';
import { HeartbeatsConsumer } from './workers/heartbeats.consumer.js';
import { WorkerRepository } from './workers/worker.repository.js';

const STORE = Symbol('Store');
const DATABASE = Symbol('Database');

const providers: Provider[] = [
  {
    provide: STORE,
    useFactory: (settings: MonitorSettings, log: Logger) => openStore(settings.MONGODB_URL, 'monitor', log),
    inject: [SETTINGS, LOGGER],
  },
  {
    provide: DATABASE,
    useFactory: (store: Store, settings: MonitorSettings) => store.db(`${settings.DATABASE_PREFIX}monitor`),
    inject: [STORE, SETTINGS],
  },
  {
    provide: RESOURCES,
    useFactory: (settings: MonitorSettings) => loadResources(settings.RESOURCES_FILE),
    inject: [SETTINGS],
  },
  ...[LedgerRepository, JobRepository, WorkerRepository, RedriveRepository, FoldMarkRepository, RollCallRepository].map(
    (repository) => ({
      provide: repository,
      useFactory: (db: Db) => new repository(db),
      inject: [DATABASE],
    }),
  ),
  {
    provide: FailuresRepository,
    useFactory: (db: Db, settings: MonitorSettings) => new FailuresRepository(db, settings.FAILURE_RETENTION),
    inject: [DATABASE, SETTINGS],
  },
  { provide: InHand, useFactory: () => new InHand() },
  { provide: Appender, useFactory: (ledger: LedgerRepository) => new Appender(ledger), inject: [LedgerRepository] },
  {
    provide: Projector,
    useFactory: (jobs: JobRepository, broker: BrokerConnection, publisher: Publisher, log: Logger) => {
      const changes = new JobChanges(publisher, log);
      const notices = new ChangeNotices(new Unconfirmed(broker, log));
      return new Projector(jobs, (folded) => {
        notices.written(folded.after);
        return changes.changed(folded);
      });
    },
    inject: [JobRepository, BROKER, PUBLISHER, LOGGER],
  },
  {
    provide: JobRemoval,
    useFactory: (...parts: ConstructorParameters<typeof JobRemoval>) => new JobRemoval(...parts),
    inject: [JobRepository, LedgerRepository, FailuresRepository, RedriveRepository, LOGGER],
  },
  {
    provide: FoldBeat,
    useFactory: (
      { instance }: Identity,
      marks: FoldMarkRepository,
      inHand: InHand,
      broker: BrokerConnection,
      publisher: Publisher,
      log: Logger,
    ) => new FoldBeat({ instance, marks, inHand, broker, publisher, log }),
    inject: [IDENTITY, FoldMarkRepository, InHand, BROKER, PUBLISHER, LOGGER],
  },
  {
    provide: Sweep,
    useFactory: (
      jobs: JobRepository,
      ledger: LedgerRepository,
      workers: WorkerRepository,
      redrives: RedriveRepository,
      broker: BrokerConnection,
      publisher: Publisher,
      settings: MonitorSettings,
      log: Logger,
    ) => {
      const jobRetentionMs = settings.JOB_RETENTION;
      return new Sweep({ jobs, ledger, workers, redrives, broker, publisher, jobRetentionMs, log });
    },
    inject: [JobRepository, LedgerRepository, WorkerRepository, RedriveRepository, BROKER, PUBLISHER, SETTINGS, LOGGER],
  },
  {
    provide: TopologyWatch,
    useFactory: (
      settings: MonitorSettings,
      rolls: RollCallRepository,
      parked: ParkedWatch,
      beat: FoldBeat,
      broker: BrokerConnection,
      publisher: Publisher,
      log: Logger,
    ) => {
      const { RABBITMQ_MANAGEMENT_URL: url, RABBITMQ_URL } = settings;
      const management = url === undefined ? null : new ManagementApi(url, RABBITMQ_URL);
      return new TopologyWatch({
        look: new BrokerLook(broker, management, log),
        rollCall: new RollCall(rolls, publisher, log),
        parked,
        folds: () => beat.folds(),
        log,
      });
    },
    inject: [SETTINGS, RollCallRepository, ParkedWatch, FoldBeat, BROKER, PUBLISHER, LOGGER],
  },
  {
    provide: ParkedWatch,
    useFactory: (broker: BrokerConnection, log: Logger) =>
      new ParkedWatch(broker, new ParkedQueues({ broker, log }), log),
    inject: [BROKER, LOGGER],
  },
  {
    provide: DiagnosisService,
    useFactory: (...parts: ConstructorParameters<typeof DiagnosisService>) => new DiagnosisService(...parts),
    inject: [TopologyWatch, WorkerRepository, FoldMarkRepository, ParkedWatch, RESOURCES],
  },
  {
    provide: Verdicts,
    useFactory: (
      jobs: JobRepository,
      diagnosis: DiagnosisService,
      broker: BrokerConnection,
      publisher: Publisher,
      log: Logger,
    ) => new Verdicts({ jobs, diagnosis, broker, publisher, log }),
    inject: [JobRepository, DiagnosisService, BROKER, PUBLISHER, LOGGER],
  },
  {
    provide: MonitorMetrics,
    useFactory: (...parts: ConstructorParameters<typeof MonitorMetrics>) => new MonitorMetrics(...parts),
    inject: [Verdicts, FoldMarkRepository, TopologyWatch],
  },
  {
    provide: Background,
    useFactory: (
      store: Store,
      jobs: JobRepository,
      ledger: LedgerRepository,
      workers: WorkerRepository,
      redrives: RedriveRepository,
      failures: FailuresRepository,
      beat: FoldBeat,
      sweep: Sweep,
      topology: TopologyWatch,
      verdicts: Verdicts,
      readiness: Readiness,
      log: Logger,
    ) =>
      new Background({
        store,
        indexed: [ledger, jobs, workers, redrives, failures],
        beat,
        sweep,
        topology,
        verdicts,
        readiness,
        log,
      }),
    inject: [
      STORE,
      JobRepository,
      LedgerRepository,
      WorkerRepository,
      RedriveRepository,
      FailuresRepository,
      FoldBeat,
      Sweep,
      TopologyWatch,
      Verdicts,
      READINESS,
      LOGGER,
    ],
  },
];

@Module({
  controllers: [EventsConsumer, HeartbeatsConsumer, HistoryController, ReadsController, TopologyReadsController],
  providers,
})
export class MonitorModule {}
