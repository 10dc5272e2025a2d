import { type AnyMessage, workQueues } from '@expunge/contracts';
import { Consumes, type Delivery, PUBLISHER, type Publisher } from '@expunge/messaging';
import { ACTIVITY, Activity, IDENTITY, type Identity, LOGGER, SETTINGS } from '@expunge/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { Logger } from 'pino';
import type { StorageCleanerSettings } from '../settings.js';
import { purgeLinesOf } from './purge-lines.js';
import { purgeReportOf } from './purge-report.js';
import { PurgeService } from './purge.service.js';
import { purgeWorkOf } from './purge-work.js';

const queue = workQueues.storageCleanerBatches;

@Controller()
export class PurgeBatchesConsumer {
  constructor(
    private readonly purges: PurgeService,
    @Inject(PUBLISHER) private readonly publisher: Publisher,
    @Inject(SETTINGS) private readonly settings: StorageCleanerSettings,
    @Inject(IDENTITY) private readonly identity: Identity,
    @Inject(ACTIVITY) private readonly activity: Activity,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Consumes(queue)
  async onBatch(@Payload() message: AnyMessage, @Ctx() delivery: Delivery): Promise<void> {
    const work = purgeWorkOf(message);
    const { job, batch, targets } = work;
    // A batch whose records owned no files, or shared all of them, has nothing to report either.
    if (targets.length === 0) return;
    const log = this.log.child({ job, batch, queue: delivery.queue, attempt: delivery.attempt });
    log.info({ objects: targets.length, redelivered: delivery.redelivered }, `batch ${batch} picked up`);
    const done = this.activity.begin(`purging ${targets.length} objects of batch ${batch}`, job);
    try {
      const outcome = await this.purges.purge(targets);
      const context = {
        attempt: delivery.attempt,
        now: new Date(),
        retryForMs: this.settings.STORE_RETRY_FOR,
        instance: this.identity.instance,
      };
      const report = purgeReportOf(work, outcome, context);
      for (const step of report) {
        if (step.to === 'exchange') await this.publisher.publish(step.message);
        else await this.publisher.send(queue.name, step.message, { attempt: step.attempt, tier: step.tier });
      }
      for (const line of purgeLinesOf(work, report)) {
        if (line.refusal) this.activity.failed(line.refusal.code, line.refusal.message);
        log[line.level](line.fields, line.text);
      }
    } finally {
      done();
    }
  }
}
