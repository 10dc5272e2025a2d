import { retryQueue, retryTiers, workQueues } from '@expunge/contracts';
import type { BrokerConnection } from '@expunge/messaging';
import { sharedFor } from '@expunge/runtime';
import type { DeletionJob } from './deletion-job/deletion-job.js';

const FRESH_MS = 1000;

/**
 * Whether the storage-cleaner is too far behind. The broker tells messages, not keys: each is taken for as many keys as
 * this job's batches had on average, so this is an estimate, and only a brake.
 */
export class Backlog {
  private readonly messages = sharedFor(FRESH_MS, () => this.countMessages());

  constructor(
    private readonly broker: Pick<BrokerConnection, 'queueDepth'>,
    private readonly maxObjects: number,
  ) {}

  async isTooLong(job: DeletionJob): Promise<boolean> {
    const { objects, batches } = job.totals;
    if (objects === 0) return false;
    return (await this.messages()) * (objects / batches) > this.maxObjects;
  }

  private async countMessages(): Promise<number> {
    const { name } = workQueues.storageCleanerBatches;
    const queues = [name, ...retryTiers.map((tier) => retryQueue(name, tier))];
    const depths = await Promise.all(queues.map((queue) => this.broker.queueDepth(queue)));
    return depths.reduce((sum, depth) => sum + depth, 0);
  }
}
