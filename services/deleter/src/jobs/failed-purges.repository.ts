import { type ObjectPurgeFailed, type Positions, positions } from '@expunge/contracts';
import { asStoreError } from '@expunge/runtime/store';
import type { Collection, Db } from 'mongodb';
import type { FailedPurges } from '../deletion-job/purge-again.js';

interface StoredFailure {
  _id: string;
  job: string;
  batch: number;
  round: number;
  positions: Positions;
}

const UNAVAILABLE = 'JOBS_UNAVAILABLE';
/** What was said of one batch: once for each code, and again when it was asked for again. */
const MOST_EVENTS = 1000;

/** What the storage-cleaner gave up, until a person has it tried again. */
export class FailedPurgesRepository {
  private readonly purges: Collection<StoredFailure>;

  constructor(db: Db) {
    this.purges = db.collection<StoredFailure>('failed_purges');
  }

  async createIndexes(): Promise<void> {
    await this.purges.createIndexes([{ key: { job: 1, batch: 1 } }]);
  }

  async add({ id, subject: job, data }: ObjectPurgeFailed): Promise<void> {
    const { batch, positions: failed, round = 0 } = data;
    await asStoreError(UNAVAILABLE, () =>
      this.purges.updateOne({ _id: id }, { $setOnInsert: { job, batch, round, positions: failed } }, { upsert: true }),
    );
  }

  /** Those of the first batch with any that failed before `round`; null: there are none. */
  async next(job: string, round: number): Promise<FailedPurges | null> {
    return asStoreError(UNAVAILABLE, async () => {
      const before = { job, round: { $lt: round } };
      const first = await this.purges.findOne(before, { sort: { batch: 1 }, projection: { batch: 1 } });
      if (!first) return null;
      const { batch } = first;
      const found = await this.purges.find({ ...before, batch }, { limit: MOST_EVENTS }).toArray();
      return {
        batch,
        positions: positions.union(...found.map((one) => one.positions)),
        events: found.map((one) => one._id),
      };
    });
  }

  async forget(events: readonly string[]): Promise<void> {
    await asStoreError(UNAVAILABLE, () => this.purges.deleteMany({ _id: { $in: [...events] } }));
  }

  async removeOf(job: string): Promise<void> {
    await asStoreError(UNAVAILABLE, () => this.purges.deleteMany({ job }));
  }
}
