import { type MessageOf, ProjectionChanged } from '@expunge/contracts';
import type { Unconfirmed } from '@expunge/messaging';
import type { JobProjection } from '../projection/job.js';
import { SOURCE } from '../projection/status.js';

/** Of one job: whoever streams it reads again each time. */
const EVERY_MS = 100;
const ROUTING_KEY = ProjectionChanged.routingKey ?? '';

type Noted = Pick<JobProjection, 'id' | 'tenant' | 'position' | 'status'>;

/**
 * Tells whoever streams a job that its document was written: of the first write at once, of more within 100 ms once. Lost
 * ones are of no matter, since those who stream look for themselves, too, if seldom.
 */
export class ChangeNotices {
  /** What is to be told of a job once its pause is over; null: nothing so far. */
  private readonly pausing = new Map<string, Noted | null>();

  constructor(
    private readonly words: Pick<Unconfirmed, 'say'>,
    private readonly everyMs = EVERY_MS,
  ) {}

  written(job: Noted): void {
    if (this.pausing.has(job.id)) this.pausing.set(job.id, job);
    else this.tell(job);
  }

  private tell(job: Noted): void {
    this.pausing.set(job.id, null);
    void this.words.say(ROUTING_KEY, () => noticeOf(job, new Date()));
    setTimeout(() => {
      const more = this.pausing.get(job.id);
      this.pausing.delete(job.id);
      if (more) this.tell(more);
    }, this.everyMs).unref();
  }
}

const noticeOf = ({ id, tenant, position, status }: Noted, now: Date): MessageOf<typeof ProjectionChanged> =>
  ProjectionChanged.create({
    id: `${id}:projection:${position}`,
    source: SOURCE,
    subject: id,
    time: now.toISOString(),
    ...(tenant !== null && { tenantid: tenant }),
    data: { position, status },
  });
