import type { Publisher } from '@expunge/messaging';
import type { Logger } from 'pino';
import type { Folded } from '../projection/projector.service.js';
import { isCompletionDue, jobCompleted } from '../projection/status.js';

/** What follows from a job's change: a line in the log, and the word that it is completed. */
export class JobChanges {
  constructor(
    private readonly publisher: Publisher,
    private readonly log: Logger,
  ) {}

  async changed({ before, after }: Folded): Promise<void> {
    if (before?.status !== after.status) this.tell(after);
    if (!isCompletionDue(after) || (before && isCompletionDue(before))) return;
    try {
      await this.publisher.publish(jobCompleted(after, new Date().toISOString()));
    } catch (error) {
      // The sweep says it again, as after a crash at this point: no event waits for the broker here.
      this.log.warn({ err: error, job: after.id }, 'completion not published yet');
    }
  }

  private tell({ id: job, status, totals, objects, tenant }: Folded['after']): void {
    const { succeeded = 0, failed = 0, objects: handedOver = 0, retained = 0 } = totals ?? {};
    const counts = { succeeded, failed, objects: { handedOver, retained, ...objects } };
    this.log.info({ job, tenant, status, ...counts }, `job is ${status.replaceAll('_', ' ')}`);
  }
}
