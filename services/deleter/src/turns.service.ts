import { type RetryTier, retryTiers, SliceDue, sliceId, workQueues } from '@expunge/contracts';
import type { Publisher } from '@expunge/messaging';
import { withCurrentTrace } from '@expunge/telemetry';
import { SOURCE } from './deletion-job/emit.js';

const LANE = 0;

/** Publishes slice messages: the one live turn of a job, at once or later. */
export class Turns {
  constructor(private readonly publisher: Publisher) {}

  /** In the trace of the request, which so shows the beginning of the deletion; all other slices have their own. */
  first(job: string, turn: number): Promise<void> {
    return this.publisher.send(workQueues.deleterSlices.name, withCurrentTrace(this.message(job, turn)));
  }

  now(job: string, turn: number): Promise<void> {
    return this.publisher.send(workQueues.deleterSlices.name, this.message(job, turn));
  }

  /** Through the shortest retry tier that is not too early; with the job's last write, where it is to be compared. */
  later(job: string, turn: number, ms: number, seen?: Date): Promise<void> {
    const tier: RetryTier = retryTiers.find((seconds) => seconds * 1000 >= ms) ?? 30;
    return this.publisher.send(workQueues.deleterSlices.name, this.message(job, turn, seen), { tier });
  }

  private message(job: string, turn: number, seen?: Date): SliceDue {
    return SliceDue.create({
      id: sliceId(job, LANE, turn),
      source: SOURCE,
      subject: job,
      time: new Date().toISOString(),
      data: { lane: LANE, turn, ...(seen && { seen: seen.toISOString() }) },
    });
  }
}
