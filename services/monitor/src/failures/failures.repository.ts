import { asStoreError } from '@expunge/runtime/store';
import type { Collection, Db } from 'mongodb';
import type { Recorded } from '../projection/recorded.js';
import { type Failure, failuresIn } from './failures-in.js';

interface StoredFailure extends Failure {
  _id: string;
  job: string;
  /** Where it stands in the job's list: the ledger position of the event that told it first, and its place in that. */
  heardAt: number;
  place: number;
  expiresAt: Date;
}

/** Where a page ends. */
export interface FailureCursor {
  heardAt: number;
  place: number;
}

export type ListedFailure = Failure & FailureCursor;

const CODE = 'MONITOR_STORE_UNAVAILABLE';

/** What jobs left, one document each: a projection holds only the first of them. */
export class FailuresRepository {
  private readonly failures: Collection<StoredFailure>;

  constructor(
    db: Db,
    private readonly retentionMs: number,
  ) {
    this.failures = db.collection<StoredFailure>('failures');
  }

  async createIndexes(): Promise<void> {
    await this.failures.createIndexes([
      { key: { job: 1, heardAt: 1, place: 1 } },
      { key: { expiresAt: 1 }, expireAfterSeconds: 0 },
    ]);
  }

  /** Before the event is folded: what is counted can be listed. Noted again, it is the same. */
  async note(recorded: Recorded): Promise<void> {
    const found = failuresIn(recorded);
    if (found.length === 0) return;
    const { subject: job } = recorded.message;
    const expiresAt = new Date(Date.now() + this.retentionMs);
    const writes = found.flatMap((failure, place) => {
      const { name, round, code, message, at, ...what } = failure;
      const _id = `${job}:${name}`;
      const said = { round, code, message, at, expiresAt };
      const first = { job, name, ...what, heardAt: recorded.position, place };
      return [
        { updateOne: { filter: { _id }, update: { $setOnInsert: { ...first, ...said } }, upsert: true } },
        { updateOne: { filter: { _id, round: { $lt: round } }, update: { $set: said } } },
      ];
    });
    await asStoreError(CODE, () => this.failures.bulkWrite(writes, { ordered: true }));
  }

  async removeAll(job: string): Promise<void> {
    await asStoreError(CODE, () => this.failures.deleteMany({ job }));
  }

  /** What an event told first. */
  async remove({ position: heardAt, message: { subject: job } }: Recorded): Promise<void> {
    await asStoreError(CODE, () => this.failures.deleteMany({ job, heardAt }));
  }

  async page(job: string, after: FailureCursor | null, limit: number): Promise<ListedFailure[]> {
    const beyond = after && {
      $or: [{ heardAt: { $gt: after.heardAt } }, { heardAt: after.heardAt, place: { $gt: after.place } }],
    };
    return asStoreError(CODE, () =>
      this.failures
        .find({ job, ...beyond })
        .sort({ heardAt: 1, place: 1 })
        .limit(limit)
        .toArray(),
    );
  }
}
