import { type BrokerConnection, ParkedQueues } from '@expunge/messaging';
import { BROKER, loadResources, LOGGER, READINESS, type Readiness, SETTINGS } from '@expunge/runtime';
import { openStore, type Store } from '@expunge/runtime/store';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Logger } from 'pino';
import { AcceptService } from './acceptance/accept.service.js';
import { AcceptanceRepository } from './acceptance/acceptance.repository.js';
import { OverSweep } from './acceptance/over-sweep.service.js';
import { UnheardSweep } from './acceptance/unheard-sweep.service.js';
import { AuthGuard } from './auth/auth.guard.js';
import { TokenVerifier } from './auth/token-verifier.js';
import { ControlController } from './control/control.controller.js';
import { KeyBindings } from './control/key-bindings.repository.js';
import { PauseAllController } from './control/pause-all.controller.js';
import { PauseAll } from './control/pause-all.service.js';
import { Control } from './control/control.service.js';
import { JobHistory } from './jobs/job-history.service.js';
import { JobReads } from './jobs/job-reads.service.js';
import { JobsController } from './jobs/jobs.controller.js';
import { RESOURCES } from './jobs/resources.js';
import { RateLimitGuard } from './limits/rate-limit.guard.js';
import { MonitorsAdapter } from './monitors/monitors.adapter.js';
import { DocsController } from './openapi/docs.controller.js';
import { OperationsController } from './operations/operations.controller.js';
import { Operations } from './operations/operations.service.js';
import { ParkedController } from './parked/parked.controller.js';
import { UnreadQueryGuard } from './problems/unread-query.guard.js';
import { ResourceChecksConsumer } from './resources/resource-checks.consumer.js';
import { ResourceChecks } from './resources/resource-checks.service.js';
import { ResourcesController } from './resources/resources.controller.js';
import { type ApiSettings, tokenRulesOf } from './settings.js';
import { STORE } from './store.js';
import { ProgressConsumer } from './stream/progress.consumer.js';
import { StreamController } from './stream/stream.controller.js';
import { Streams } from './stream/streams.service.js';
import { TopologyAssertion } from './topology-assertion.service.js';

@Module({
  controllers: [
    DocsController,
    OperationsController,
    JobsController,
    StreamController,
    ControlController,
    PauseAllController,
    ParkedController,
    ResourcesController,
    ResourceChecksConsumer,
    ProgressConsumer,
  ],
  providers: [
    // In this order.
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_GUARD, useClass: RateLimitGuard },
    { provide: APP_GUARD, useClass: UnreadQueryGuard },
    {
      provide: TokenVerifier,
      useFactory: (settings: ApiSettings) => new TokenVerifier(tokenRulesOf(settings)),
      inject: [SETTINGS],
    },
    {
      provide: STORE,
      useFactory: (settings: ApiSettings, log: Logger) => openStore(settings.MONGODB_URL, 'api', log),
      inject: [SETTINGS, LOGGER],
    },
    {
      provide: RESOURCES,
      useFactory: (settings: ApiSettings) => loadResources(settings.RESOURCES_FILE),
      inject: [SETTINGS],
    },
    {
      provide: ParkedQueues,
      useFactory: (broker: BrokerConnection, log: Logger) => new ParkedQueues({ broker, log }),
      inject: [BROKER, LOGGER],
    },
    AcceptanceRepository,
    AcceptService,
    Control,
    JobHistory,
    JobReads,
    KeyBindings,
    MonitorsAdapter,
    Operations,
    OverSweep,
    PauseAll,
    ResourceChecks,
    Streams,
    TopologyAssertion,
    UnheardSweep,
  ],
})
export class ApiModule implements OnApplicationShutdown {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(READINESS) readiness: Readiness,
    @Inject(TokenVerifier) verifier: TokenVerifier,
  ) {
    readiness.register('store', () => store.ping());
    readiness.register('token-keys', verifier.ready);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
  }
}
