import { type JobExpired, jobRemovedId, JobRemoved } from '@expunge/contracts';
import type { Publisher } from '@expunge/messaging';
import type { Logger } from 'pino';
import { SOURCE } from './deletion-job/emit.js';
import { expiryVerdict, type ExpiryVerdict } from './deletion-job/expire-job.js';
import type { EventStore } from './jobs/event-store.repository.js';
import type { FailedPurgesRepository } from './jobs/failed-purges.repository.js';
import type { JobRepository } from './jobs/job.repository.js';
import type { LeftoversRepository } from './jobs/leftovers.repository.js';

/** Removes what the deleter has of a job that was kept for its time. */
export class ExpiryService {
  constructor(
    private readonly jobs: JobRepository,
    private readonly events: EventStore,
    private readonly leftovers: LeftoversRepository,
    private readonly failedPurges: FailedPurgesRepository,
    private readonly publisher: Publisher,
    private readonly log: Logger,
  ) {}

  /**
   * Decided in one write: the document goes as it was judged, or not at all. A worker that dies after it is followed by
   * one that finds no document and removes the rest; so does the monitor's next word, should the message be lost.
   */
  async expire(expired: JobExpired, now: Date): Promise<ExpiryVerdict> {
    const job = await this.jobs.read(expired.subject);
    const verdict = job ? expiryVerdict(job, expired.data.sequence, now) : ({ do: 'remove' } as const);
    const log = this.log.child({ job: expired.subject });
    if (verdict.do === 'keep') log.warn(`expired, but kept: ${verdict.why}`);
    if (verdict.do !== 'remove') return verdict;
    if (job) await this.jobs.remove(job);
    await Promise.all([this.events, this.leftovers, this.failedPurges].map((kept) => kept.removeOf(expired.subject)));
    await this.publisher.publish(removed(expired));
    log.info('expired: nothing is kept of it');
    return verdict;
  }
}

function removed({ subject, time, tenantid }: JobExpired): JobRemoved {
  return JobRemoved.create({
    id: jobRemovedId(subject, time),
    source: SOURCE,
    subject,
    time: new Date().toISOString(),
    tenantid,
    data: { expiredAt: time },
  });
}
