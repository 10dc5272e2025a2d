import type { JobRemoved } from '@expunge/contracts';
import type { Logger } from 'pino';
import type { FailuresRepository } from '../failures/failures.repository.js';
import type { LedgerRepository } from '../ledger/ledger.repository.js';
import type { JobRepository } from '../projection/job.repository.js';
import type { Recorded } from '../projection/recorded.js';
import type { RedriveRepository } from '../redrive/redrive.repository.js';
import { isAnotherJob } from './expired.js';

/** Removes what the monitor has of a job, once the deleter has nothing of it. */
export class JobRemoval {
  constructor(
    private readonly jobs: JobRepository,
    private readonly ledger: LedgerRepository,
    private readonly failures: FailuresRepository,
    private readonly redrives: RedriveRepository,
    private readonly log: Logger,
  ) {}

  /**
   * The job's document goes after its events: as long as it stands, the sweep says again that it has expired, so a
   * removal that was cut off is done again even if its message was lost.
   */
  async run({ subject: job, data: { expiredAt } }: JobRemoved): Promise<void> {
    const known = await this.jobs.read(job);
    if (known && isAnotherJob(known.job.firstAt, expiredAt)) return;
    await this.jobs.noteRemoved(job, expiredAt);
    await this.removeTold(job);
    await this.redrives.remove(job);
    await this.jobs.remove(job);
    // What came in between found the document still there. From here on it finds the note.
    await this.removeTold(job);
    this.log.info({ job }, 'expired: nothing is kept of it');
  }

  /** An event that was appended, and then not folded since its job is gone. */
  async drop(event: Recorded): Promise<void> {
    await this.ledger.remove(event);
    await this.failures.remove(event);
    this.log.info({ job: event.message.subject, event: event.message.id }, 'dropped: its job has expired');
  }

  private async removeTold(job: string): Promise<void> {
    await this.ledger.removeAll(job);
    await this.failures.removeAll(job);
  }
}
