import type { Logger } from 'pino';
import { positions } from '@expunge/contracts';
import { purgeAgain } from './deletion-job/purge-again.js';
import type { HeldJob } from './held-job.js';
import type { EventStore } from './jobs/event-store.repository.js';
import type { FailedPurgesRepository } from './jobs/failed-purges.repository.js';
import type { Records } from './records/records.js';

/** After a retry: asks the storage-cleaner again for what it had given up. */
export class PurgeAgainService {
  constructor(
    private readonly failed: FailedPurgesRepository,
    private readonly events: EventStore,
    private readonly records: Records,
  ) {}

  /**
   * Batch by batch, each in a write of its own. Forgotten only after that: a worker that dies in between has a batch
   * asked for twice, which costs a purge.
   * @param endsAt in `performance.now()`'s time
   * @returns false: some are left for the next slice
   */
  async run(held: HeldJob, endsAt: number, log: Logger): Promise<boolean> {
    for (;;) {
      const { id, purgeRound, request } = held.job;
      const failed = await this.failed.next(id, purgeRound);
      if (!failed) {
        await held.write({ ...held.job, purgesDue: false });
        return true;
      }
      const { objectKeys: keys, bucket } = await this.events.keysOf(id, failed.batch);
      const wanted = [...positions.each(failed.positions)].flatMap((at) => keys[at] ?? []);
      const referred = await this.records.referred(wanted, { resource: request?.resource, bucket });
      await held.write(purgeAgain(held.job, failed, { keys, bucket, referred, now: new Date() }));
      await held.flush();
      await this.failed.forget(failed.events);
      log.info(
        { batch: failed.batch, objects: wanted.length, retained: referred.size },
        'failed purges asked for again',
      );
      if (performance.now() > endsAt) return false;
    }
  }
}
