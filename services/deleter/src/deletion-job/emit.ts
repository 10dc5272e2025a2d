import { deletionEventId, type MessageDefinition } from '@expunge/contracts';
import type { DeletionEvent, DeletionJob, NumberedEvent } from './deletion-job.js';

export const SOURCE = 'urn:expunge:deleter';

/** Puts an event into the outbox under the job's next sequence, in the same write as what it tells. */
export function emit<Event extends NumberedEvent>(
  job: DeletionJob,
  definition: MessageDefinition<Event['type'], Event['data']>,
  data: Event['data'],
  now: Date,
): DeletionJob {
  const sequence = job.sequence + 1;
  const event = definition.create({
    id: deletionEventId(job.id, sequence),
    source: SOURCE,
    subject: job.id,
    time: now.toISOString(),
    tenantid: job.tenant,
    sequence,
    data,
  }) as DeletionEvent;
  return { ...job, sequence, outbox: [...job.outbox, event] };
}

/** Events that were emitted since the last write carry the trace under way, so that they are the same at each publish. */
export function traced(job: DeletionJob, traceparent: string | undefined): DeletionJob {
  if (traceparent === undefined || job.outbox.every((event) => event.traceparent !== undefined)) return job;
  return { ...job, outbox: job.outbox.map((event) => ({ ...event, traceparent: event.traceparent ?? traceparent })) };
}

/** Takes out events that stand in the event store and were confirmed by the broker. */
export function withoutFlushed(job: DeletionJob, flushed: ReadonlySet<string>): DeletionJob {
  return { ...job, outbox: job.outbox.filter((event) => !flushed.has(event.id)) };
}
