import type { RecordFailure, WireId } from '@expunge/contracts';
import { asStoreError } from '@expunge/runtime/store';
import type { Collection, Db } from 'mongodb';

interface StoredFailure extends RecordFailure {
  _id: string;
  job: string;
  batch: number;
}

interface StoredRetention {
  _id: string;
  job: string;
  key: string;
  batch: number;
}

const UNAVAILABLE = 'JOBS_UNAVAILABLE';

/**
 * What a job leaves behind, one document each: records it gave up on, and keys kept for somebody else.
 * Written before the batch that found them is resolved and under that batch's number, so that whoever takes the
 * batch over writes, and counts, the same.
 */
export class LeftoversRepository {
  private readonly failures: Collection<StoredFailure>;
  private readonly retained: Collection<StoredRetention>;

  constructor(db: Db) {
    this.failures = db.collection<StoredFailure>('failures');
    this.retained = db.collection<StoredRetention>('retained');
  }

  async createIndexes(): Promise<void> {
    await this.failures.createIndexes([{ key: { job: 1, _id: 1 } }]);
    await this.retained.createIndexes([{ key: { job: 1, _id: 1 } }]);
  }

  async addFailures(job: string, batch: number, failures: readonly RecordFailure[]): Promise<void> {
    if (failures.length === 0) return;
    const upserts = failures.map((failure) => ({
      updateOne: {
        filter: { _id: `${job}:${failure.id}` },
        update: { $setOnInsert: { job, batch, ...failure } },
        upsert: true,
      },
    }));
    await asStoreError(UNAVAILABLE, () => this.failures.bulkWrite(upserts, { ordered: false }));
  }

  /** Which of these records the job has given up on. */
  async knownFailures(job: string, ids: readonly WireId[]): Promise<Set<string>> {
    const found = await asStoreError(UNAVAILABLE, () =>
      this.failures.find({ _id: { $in: ids.map((id) => `${job}:${id}`) } }, { projection: { _id: 1 } }).toArray(),
    );
    return new Set(found.map((failure) => failure._id.slice(job.length + 1)));
  }

  /** Notes keys as kept, and tells which of them no earlier batch had. */
  async addRetained(job: string, batch: number, keys: readonly string[]): Promise<string[]> {
    if (keys.length === 0) return [];
    return asStoreError(UNAVAILABLE, async () => {
      const ids = keys.map((key) => `${job}:${key}`);
      const upserts = keys.map((key, i) => ({
        updateOne: { filter: { _id: ids[i] ?? '' }, update: { $setOnInsert: { job, batch, key } }, upsert: true },
      }));
      await this.retained.bulkWrite(upserts, { ordered: false });
      const ofBatch = await this.retained.find({ _id: { $in: ids }, batch }, { projection: { key: 1 } }).toArray();
      return ofBatch.map((retention) => retention.key).sort();
    });
  }

  async removeOf(job: string): Promise<void> {
    await asStoreError(UNAVAILABLE, () =>
      Promise.all([this.failures.deleteMany({ job }), this.retained.deleteMany({ job })]),
    );
  }
}
