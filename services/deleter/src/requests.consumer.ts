import { type AnyMessage, type EventsWanted, type JobExpired, workQueues } from '@expunge/contracts';
import { Consumes, PUBLISHER, type Publisher, ValidationError } from '@expunge/messaging';
import { ACTIVITY, Activity } from '@expunge/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { ControlService } from './control.service.js';
import { DeleteRequestService } from './delete-request.service.js';
import { ExpiryService } from './expiry.service.js';
import { EventStore } from './jobs/event-store.repository.js';
import { FailedPurgesRepository } from './jobs/failed-purges.repository.js';
import { VerificationService } from './verification.service.js';

/** Events in memory at a time, each up to a megabyte. */
const AT_ONCE = 8;
/** Published for one EventsWanted; the monitor asks again for more. */
const MOST_BYTES = 16_000_000;

@Controller()
export class RequestsConsumer {
  constructor(
    private readonly requests: DeleteRequestService,
    private readonly control: ControlService,
    private readonly events: EventStore,
    private readonly failedPurges: FailedPurgesRepository,
    private readonly verification: VerificationService,
    private readonly expiry: ExpiryService,
    @Inject(PUBLISHER) private readonly publisher: Publisher,
    @Inject(ACTIVITY) private readonly activity: Activity,
  ) {}

  @Consumes(workQueues.deleterJobs)
  async onRequest(@Payload() message: AnyMessage): Promise<void> {
    const underway = this.activity.begin(message.type, message.subject);
    try {
      await this.take(message);
    } finally {
      underway.end();
    }
  }

  private async take(message: AnyMessage): Promise<void> {
    switch (message.type) {
      case 'DeleteRequested':
        return this.requests.accept(message);
      case 'PauseRequested':
      case 'ResumeRequested':
      case 'CancelRequested':
      case 'RetryRequested':
      case 'ConfirmRequested':
      case 'RateChangeRequested':
        return this.control.take(message);
      case 'EventsWanted':
        return this.answer(message);
      case 'ObjectPurgeFailed':
        return this.failedPurges.add(message);
      case 'VerificationRequested':
        return this.verification.take(message);
      case 'JobExpired':
        return this.expire(message);
      default:
        throw new ValidationError(`this deleter does not answer ${message.type}`);
    }
  }

  /** A monitor that has not heard all of a job takes it for settled too early: nobody but it would ask. */
  private async expire(expired: JobExpired): Promise<void> {
    const verdict = await this.expiry.expire(expired, new Date());
    if (verdict.do === 'tell-later-events') await this.republish(expired.subject, { after: expired.data.sequence });
  }

  private async answer({ subject, data }: EventsWanted): Promise<void> {
    // What queued up while no deleter worked would be answered in full, once for each time it was asked.
    if (data.validUntil !== undefined && Date.parse(data.validUntil) < Date.now()) return;
    await this.republish(subject, data);
  }

  private async republish(job: string, wanted: EventsWanted['data']): Promise<void> {
    let bytes = 0;
    for await (const events of this.events.find(job, wanted, AT_ONCE)) {
      await Promise.all(events.map((event) => this.publisher.publish(event)));
      bytes += events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
      if (bytes > MOST_BYTES) return;
    }
  }
}
