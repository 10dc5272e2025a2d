import { type AnyMessage } from '@expunge/contracts';
import { asStoreError, isDuplicateKey } from '@expunge/runtime';
import mongoose from 'mongoose';
import { jobOf } from '../projection/evolve.js';
import type { LedgerMessage, Recorded } from '../projection/recorded.js';

export interface LedgerEntry {
  /** The event's id: what was heard before is refused here. */
  _id: string;
  position: number;
  job: string | null;
  tenant: string | null;
  type: AnyMessage['type'];
  sequence: number | null;
  source: string;
  time: string;
  message: LedgerMessage;
  receivedAt: Date;
}

/** How many of the entries were inserted, in their order, and what the next one was refused for. */
export interface Inserted {
  inserted: number;
  refused: 'id' | 'position' | null;
}

const CODE = 'MONITOR_STORE_UNAVAILABLE';

/** Every event that was heard, numbered in the order in which they became visible. */
export class LedgerRepository {
  private readonly entries: mongoose.mongo.Collection<LedgerEntry>;

  constructor(db: mongoose.mongo.Db) {
    this.entries = db.collection<LedgerEntry>('ledger', { ignoreUndefined: true });
  }

  async createIndexes(): Promise<void> {
    await this.entries.createIndexes([
      { key: { position: 1 }, unique: true },
      { key: { job: 1, position: 1 } },
      { key: { job: 1, type: 1 } },
    ]);
  }

  /** 0 before the first. */
  async lastPosition(): Promise<number> {
    const [last] = await asStoreError(CODE, () =>
      this.entries
        .find({}, { projection: { position: 1 } })
        .sort({ position: -1 })
        .limit(1)
        .toArray(),
    );
    return last?.position ?? 0;
  }

  /** In the order given, up to the first that is refused: so a reader never sees a position before a smaller one. */
  async insertInOrder(entries: LedgerEntry[]): Promise<Inserted> {
    return asStoreError(CODE, async () => {
      try {
        await this.entries.insertMany(entries, { ordered: true });
        return { inserted: entries.length, refused: null };
      } catch (error) {
        if (!isDuplicateKey(error) || !(error instanceof mongoose.mongo.MongoBulkWriteError)) throw error;
        const [refusal] = [error.writeErrors].flat();
        const index = refusal?.index ?? 0;
        const taken = await this.entries.countDocuments({ _id: entries[index]?._id ?? '' }, { limit: 1 });
        return { inserted: index, refused: taken > 0 ? 'id' : 'position' };
      }
    });
  }

  async recorded(ids: string[]): Promise<Recorded[]> {
    return asStoreError(CODE, async () => {
      const found = await this.entries
        .find({ _id: { $in: ids } }, { projection: { position: 1, message: 1 } })
        .toArray();
      return found.map(({ position, message }) => ({ position, message }));
    });
  }

  /** By position, after one. */
  async eventsOf(job: string, after: number, limit: number): Promise<LedgerEntry[]> {
    return asStoreError(CODE, () =>
      this.entries
        .find({ job, position: { $gt: after } })
        .sort({ position: 1 })
        .limit(limit)
        .toArray(),
    );
  }

  /** The request that made the job, as it was sent; null when the ledger has none. */
  async deleteRequestOf(job: string): Promise<Extract<AnyMessage, { type: 'DeleteRequested' }> | null> {
    const [entry] = await asStoreError(CODE, () =>
      this.entries.find({ job, type: 'DeleteRequested' }).sort({ position: 1 }).limit(1).toArray(),
    );
    return entry?.message.type === 'DeleteRequested' ? entry.message : null;
  }
}

export function entryOf(message: LedgerMessage, position: number, receivedAt: Date): LedgerEntry {
  return {
    _id: message.id,
    position,
    job: jobOf(message),
    tenant: message.tenantid ?? null,
    type: message.type,
    sequence: message.sequence ?? null,
    source: message.source,
    time: message.time,
    message,
    receivedAt,
  };
}
