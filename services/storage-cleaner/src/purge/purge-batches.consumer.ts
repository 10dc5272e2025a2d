import { type AnyMessage, type ObjectCheckRequested, workQueues } from '@expunge/contracts';
import { Consumes, type Delivery, PUBLISHER, type Publisher, TransientError } from '@expunge/messaging';
import { ACTIVITY, Activity, IDENTITY, type Identity, LOGGER, SETTINGS } from '@expunge/runtime';
import { attribute, currentTraceparent, inSpan, spanName } from '@expunge/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { Logger } from 'pino';
import { keysToCheck, objectsChecked, refusalToWaitFor } from '../check/check-outcome.js';
import { CheckService } from '../check/check.service.js';
import { CallLimits } from '../object-store/call-limit.js';
import { OBJECT_STORE, type ObjectStore } from '../object-store/object-store.js';
import type { StorageCleanerSettings } from '../settings.js';
import { PurgeMetrics } from './purge-metrics.js';
import { purgeLinesOf } from './purge-lines.js';
import { purgeReportOf } from './purge-report.js';
import { PurgeService } from './purge.service.js';
import { purgeWorkOf } from './purge-work.js';

const queue = workQueues.storageCleanerBatches;

@Controller()
export class PurgeBatchesConsumer {
  private readonly metrics = new PurgeMetrics();

  constructor(
    private readonly checks: CheckService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    private readonly limits: CallLimits,
    @Inject(PUBLISHER) private readonly publisher: Publisher,
    @Inject(SETTINGS) private readonly settings: StorageCleanerSettings,
    @Inject(IDENTITY) private readonly identity: Identity,
    @Inject(ACTIVITY) private readonly activity: Activity,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Consumes(queue)
  async onBatch(@Payload() message: AnyMessage, @Ctx() delivery: Delivery): Promise<void> {
    if (message.type === 'ObjectCheckRequested') return this.onCheck(message, delivery);
    const work = { ...purgeWorkOf(message), traceparent: currentTraceparent() ?? message.traceparent };
    const { job, batch, targets, bucket } = work;
    // A batch whose records owned no files, or shared all of them, has nothing to report either.
    if (targets.length === 0) return;
    const log = this.log.child({ job, batch, queue: delivery.queue, attempt: delivery.attempt });
    log.info({ objects: targets.length, bucket, redelivered: delivery.redelivered }, `batch ${batch} picked up`);
    const underway = this.activity.begin(`purging ${targets.length} objects of batch ${batch}`, job);
    const purges = new PurgeService(this.store.inBucket(bucket), this.limits.of(bucket));
    try {
      const attributes = { [attribute.job]: job, [attribute.batch]: batch, [attribute.objects]: targets.length };
      const outcome = await inSpan(spanName.purge, { attributes }, () => purges.purge(targets, underway.movedOn));
      this.metrics.tell(outcome);
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
      underway.end();
    }
  }

  /** @throws TransientError the store is away or busy: the message comes back through its tiers */
  private async onCheck(request: ObjectCheckRequested, delivery: Delivery): Promise<void> {
    const { instance } = this.identity;
    const { subject: job, data } = request;
    const keys = keysToCheck(request);
    const underway = this.activity.begin(`looking for ${keys.length} purged objects`, job);
    try {
      const attributes = { [attribute.job]: job, [attribute.objects]: keys.length };
      const found = await inSpan(spanName.check, { attributes }, () => this.checks.check(keys, underway.movedOn));
      const refusal = refusalToWaitFor(found);
      if (refusal) throw new TransientError(refusal.code, refusal.message);
      const answer = objectsChecked(request, found, { instance, now: new Date() });
      await this.publisher.publish(answer);
      const present = answer.data.present.reduce((sum, { objectKeys }) => sum + objectKeys.length, 0);
      const log = this.log.child({ job, chunk: data.chunk, queue: delivery.queue, attempt: delivery.attempt });
      log[present > 0 ? 'warn' : 'info'](
        { refusal: answer.data.refusal ?? undefined },
        `of ${keys.length} purged objects ${present} are still there`,
      );
    } finally {
      underway.end();
    }
  }
}
