import type { Publisher } from '@expunge/messaging';
import type { DeletionJob } from './deletion-job/deletion-job.js';
import type { EventStore } from './jobs/event-store.repository.js';

/** Moves events out of a job's document: into the event store, then to the broker; only then may a write drop them. */
export class Outbox {
  constructor(
    private readonly events: EventStore,
    private readonly publisher: Publisher,
  ) {}

  /** The ids of the events that are out. Two workers may do this at once: ids are the same. */
  async flush(job: DeletionJob): Promise<Set<string>> {
    await this.events.append(job.outbox);
    await Promise.all(job.outbox.map((event) => this.publisher.publish(event)));
    return new Set(job.outbox.map((event) => event.id));
  }
}
