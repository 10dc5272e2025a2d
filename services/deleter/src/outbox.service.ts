import type { Publisher } from '@expunge/messaging';
import { type DeletionJob } from './deletion-job/deletion-job.js';
import { withoutFlushed } from './deletion-job/emit.js';
import type { EventStore } from './jobs/event-store.repository.js';
import type { JobRepository } from './jobs/job.repository.js';

/** Moves events out of a job's document: into the event store, then to the broker; only then may a write drop them. */
export class Outbox {
  constructor(
    private readonly events: EventStore,
    private readonly publisher: Publisher,
    private readonly jobs: JobRepository,
  ) {}

  /** The ids of the events that are out. Two workers may do this at once: ids are the same. */
  async flush(job: DeletionJob): Promise<Set<string>> {
    await this.events.append(job.outbox);
    await Promise.all(job.outbox.map((event) => this.publisher.publish(event)));
    return new Set(job.outbox.map((event) => event.id));
  }

  /** Flushes and writes that down, for a document that no slice will write again. */
  async empty(job: DeletionJob): Promise<DeletionJob> {
    if (job.outbox.length === 0) return job;
    const flushed = await this.flush(job);
    return this.jobs.write(withoutFlushed(job, flushed));
  }
}
