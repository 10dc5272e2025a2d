import { type AnyMessage, workQueues } from '@expunge/contracts';
import { Consumes, TransientError } from '@expunge/messaging';
import { LOGGER } from '@expunge/runtime';
import { attribute, durations, inSpan, metric, spanName } from '@expunge/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { Logger } from 'pino';
import { FailuresRepository } from '../failures/failures.repository.js';
import { Appender } from '../ledger/appender.service.js';
import { JobRemoval } from '../expiry/job-removal.service.js';
import { compact } from '../ledger/compact.js';
import { jobOf } from '../projection/evolve.js';
import type { Recorded } from '../projection/recorded.js';
import { Projector } from '../projection/projector.service.js';
import { FoldBeat } from './fold-beat.service.js';
import { InHand } from './in-hand.js';

/** Closest where it should be: an event that was asked for again may be days old. */
const foldDelaySeconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.5, 1, 2.5, 5, 10, 30, 300, 3600];

@Controller()
export class EventsConsumer {
  private readonly delay = durations(metric.foldDelay, 'From an event to its fold', foldDelaySeconds);

  constructor(
    private readonly appender: Appender,
    private readonly projector: Projector,
    private readonly failures: FailuresRepository,
    private readonly removal: JobRemoval,
    private readonly inHand: InHand,
    private readonly beat: FoldBeat,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Append, fold, acknowledge. A crash in between is a redelivery, which does the rest: a known event still folds. */
  @Consumes(workQueues.monitorEvents)
  async onEvent(@Payload() message: AnyMessage): Promise<void> {
    if (message.type === 'FoldProbe') {
      this.beat.probed(message.id);
      return;
    }
    // No events of the job: the ledger would begin anew with them.
    if (message.type === 'JobExpired') return;
    if (message.type === 'JobRemoved') return this.removal.run(message);
    const kept = compact(message);
    const job = jobOf(kept);
    const delivery = this.inHand.take(message.id, Date.now());
    try {
      const attributes = { ...(job !== null && { [attribute.job]: job }) };
      const recorded = await inSpan(spanName.append, { attributes }, () => this.appender.append(kept));
      delivery.recorded(recorded.position);
      await this.failures.note(recorded);
      await inSpan(spanName.fold, { attributes: { ...attributes, [attribute.position]: recorded.position } }, () =>
        this.fold(recorded),
      );
      delivery.folded();
      this.delay.record(Math.max(0, Date.now() - Date.parse(message.time)) / 1000);
      this.log.debug({ job, event: message.id, type: message.type, position: recorded.position }, 'folded');
    } catch (error) {
      if (job !== null && !(error instanceof TransientError)) delivery.failed({ job, message: String(error) });
      throw error;
    } finally {
      delivery.gone(Date.now());
      this.beat.delivered();
    }
  }

  private async fold(recorded: Recorded): Promise<void> {
    const job = jobOf(recorded.message);
    if (job !== null && !(await this.projector.fold(job, recorded))) await this.removal.drop(recorded);
  }
}
