import { asStoreError, isFirst } from '@expunge/runtime/store';
import type { Collection, Db } from 'mongodb';
import type { Asks } from './schedule.js';

interface RedriveDocument {
  /** The job. */
  _id: string;
  revision: number;
  asks: Asks;
  updatedAt: Date;
}

export interface StoredAsks {
  asks: Asks;
  revision: number;
}

const CODE = 'MONITOR_STORE_UNAVAILABLE';
const FORGOTTEN_AFTER_S = 86_400;

/** What was asked for and when. Not in the projection: that is a function of the ledger alone. */
export class RedriveRepository {
  private readonly redrives: Collection<RedriveDocument>;

  constructor(db: Db) {
    this.redrives = db.collection<RedriveDocument>('redrives', { ignoreUndefined: true });
  }

  async createIndexes(): Promise<void> {
    await this.redrives.createIndexes([{ key: { updatedAt: 1 }, expireAfterSeconds: FORGOTTEN_AFTER_S }]);
  }

  async read(jobs: string[]): Promise<Map<string, StoredAsks>> {
    const found = await asStoreError(CODE, () => this.redrives.find({ _id: { $in: jobs } }).toArray());
    return new Map(found.map(({ _id, asks, revision }) => [_id, { asks, revision }]));
  }

  /** False when another instance noted something since: it asks, not we. */
  async note(job: string, asks: Asks, expected: number | null, now: Date): Promise<boolean> {
    const document = { revision: (expected ?? 0) + 1, asks, updatedAt: now };
    return asStoreError(CODE, async () => {
      if (expected !== null) {
        const { matchedCount } = await this.redrives.replaceOne({ _id: job, revision: expected }, document);
        return matchedCount === 1;
      }
      return isFirst(() => this.redrives.insertOne({ _id: job, ...document }));
    });
  }

  async remove(job: string): Promise<void> {
    await asStoreError(CODE, () => this.redrives.deleteOne({ _id: job }));
  }
}
