import type { Message } from '@expunge/contracts';
import type { Publisher } from '@expunge/messaging';
import { attribute, counter, metric } from '@expunge/telemetry';
import type { Logger } from 'pino';
import type { Folded } from '../projection/projector.service.js';
import { isCompletionDue, isVerificationDue, jobCompleted, verificationRequested } from '../projection/status.js';

/** What follows from a job's change: a line in the log, the wish to have it verified, the word that it is completed. */
export class JobChanges {
  private readonly transitions = counter(metric.transitions, 'Jobs by the status they came to', '{job}');

  constructor(
    private readonly publisher: Publisher,
    private readonly log: Logger,
  ) {
    // From the start: of a counter that is born with its first value nobody sees an increase.
    this.transitions.add(0, { [attribute.status]: 'failed' });
  }

  async changed({ before, after }: Folded): Promise<void> {
    if (before?.status !== after.status) this.tell(after);
    const now = new Date().toISOString();
    const isNew = (isDue: (job: Folded['after']) => boolean) => isDue(after) && !(before && isDue(before));
    if (isNew(isVerificationDue)) await this.publish(verificationRequested(after, now), 'verification');
    if (isNew(isCompletionDue)) await this.publish(jobCompleted(after, now), 'completion');
  }

  private async publish(message: Message, what: string): Promise<void> {
    try {
      await this.publisher.publish(message);
    } catch (error) {
      // The sweep says it again, as after a crash at this point: no event waits for the broker here.
      this.log.warn({ err: error, job: message.subject }, `${what} not published yet`);
    }
  }

  private tell({ id: job, status, totals, objects, tenant }: Folded['after']): void {
    this.transitions.add(1, { [attribute.status]: status });
    const { succeeded = 0, failed = 0, objects: handedOver = 0, retained = 0 } = totals ?? {};
    const counts = { succeeded, failed, objects: { handedOver, retained, ...objects } };
    this.log.info({ job, tenant, status, ...counts }, `job is ${status.replaceAll('_', ' ')}`);
  }
}
