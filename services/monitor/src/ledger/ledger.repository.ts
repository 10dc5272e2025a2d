import { type AnyMessage } from '@expunge/contracts';
import { asStoreError, isDuplicateKey } from '@expunge/runtime/store';
import { BSON, type Collection, type Db, type Filter, MongoBulkWriteError } from 'mongodb';
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

/** An entry as it is folded. */
export interface EventOfJob extends Recorded {
  job: string;
  receivedAt: Date;
}

/** How many of the entries were inserted, in their order, and what the next one was refused for. */
export interface Inserted {
  inserted: number;
  refused: 'id' | 'position' | null;
}

/** The greatest position of an entry that was removed: none is given twice. */
interface Floor {
  _id: 'removed';
  position: number;
}

const CODE = 'MONITOR_STORE_UNAVAILABLE';
/** Entries of one answer of the database, where all are read. With 1,000 a rebuild took 60 MB more, and was not faster. */
const PAGE = 100;

/** Every event that was heard, numbered in the order in which they became visible. */
export class LedgerRepository {
  private readonly entries: Collection<LedgerEntry>;
  private readonly floors: Collection<Floor>;

  constructor(db: Db) {
    this.entries = db.collection<LedgerEntry>('ledger', { ignoreUndefined: true });
    this.floors = db.collection<Floor>('fold');
  }

  async createIndexes(): Promise<void> {
    await this.entries.createIndexes([
      { key: { position: 1 }, unique: true },
      { key: { job: 1, position: 1 } },
      { key: { job: 1, type: 1 } },
    ]);
  }

  /** 0 before the first. Of an entry that was removed, too. */
  async lastPosition(): Promise<number> {
    const floor = await asStoreError(CODE, () => this.floors.findOne({ _id: 'removed' }));
    return Math.max(await this.lastPositionOf({}), floor?.position ?? 0);
  }

  private async lastPositionOf(entries: Filter<LedgerEntry>): Promise<number> {
    const [last] = await asStoreError(CODE, () =>
      this.entries
        .find(entries, { projection: { position: 1 } })
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
        if (!isDuplicateKey(error) || !(error instanceof MongoBulkWriteError)) throw error;
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

  /** By position, after one; null: of those about no job. With a tenant, without what names another one: a mistaken event may bear the job's id. */
  async eventsOf(job: string | null, after: number, limit: number, tenant?: string): Promise<LedgerEntry[]> {
    const own = tenant === undefined ? {} : { tenant: { $in: [tenant, null] } };
    return asStoreError(CODE, () =>
      this.entries
        .find({ job, position: { $gt: after }, ...own })
        .sort({ position: 1 })
        .limit(limit)
        .toArray(),
    );
  }

  /** Every event of a job after a position, in their order, a page at a time. */
  pagesOf(job: string, after = 0): AsyncGenerator<Iterable<EventOfJob>> {
    return this.pages({ job, position: { $gt: after } });
  }

  /** Every event of every job, a page at a time: one job after the other, each by position. */
  pagesByJob(): AsyncGenerator<Iterable<EventOfJob>> {
    return this.pages({ job: { $type: 'string' } });
  }

  /** About how many events it has. */
  async size(): Promise<number> {
    return asStoreError(CODE, () => this.entries.estimatedDocumentCount());
  }

  /**
   * The next page is on its way while one is worked on, and an entry is unpacked only when its turn has come: so a ledger
   * of any size passes through little memory.
   */
  private async *pages(entries: Filter<LedgerEntry>): AsyncGenerator<Iterable<EventOfJob>> {
    const projection = { _id: 0, job: 1, position: 1, message: 1, receivedAt: 1 };
    const cursor = this.entries.find(entries, { projection, raw: true, batchSize: PAGE }).sort({ job: 1, position: 1 });
    const next = () => {
      const page = asStoreError(CODE, () => cursor.next());
      // Met when its turn has come; until then nobody listens.
      page.catch(() => undefined);
      return page;
    };
    let first = next();
    try {
      for (;;) {
        const packed = await first;
        if (packed === null) return;
        const page = [packed, ...cursor.readBufferedDocuments()] as unknown as Uint8Array[];
        first = next();
        yield unpacked(page);
      }
    } finally {
      await first.catch(() => undefined);
      await cursor.close();
    }
  }

  /** Every event of a job. */
  async removeAll(job: string): Promise<void> {
    const last = await this.lastPositionOf({ job });
    if (last > 0) await this.removeUpTo(last, { job });
  }

  async remove({ position, message }: Recorded): Promise<void> {
    await this.removeUpTo(position, { _id: message.id, position });
  }

  /** The floor first: an instance that starts in between must not take a position that is about to be free. */
  private async removeUpTo(last: number, entries: Filter<LedgerEntry>): Promise<void> {
    await asStoreError(CODE, async () => {
      await this.floors.updateOne({ _id: 'removed' }, { $max: { position: last } }, { upsert: true });
      await this.entries.deleteMany({ $and: [entries, { position: { $lte: last } }] });
    });
  }

  /** The request that made the job, as it was sent; null when the ledger has none. */
  async deleteRequestOf(job: string): Promise<Extract<AnyMessage, { type: 'DeleteRequested' }> | null> {
    const [entry] = await asStoreError(CODE, () =>
      this.entries.find({ job, type: 'DeleteRequested' }).sort({ position: 1 }).limit(1).toArray(),
    );
    return entry?.message.type === 'DeleteRequested' ? entry.message : null;
  }
}

function* unpacked(page: Uint8Array[]): Generator<EventOfJob> {
  for (const entry of page) yield BSON.deserialize(entry, { useBigInt64: true }) as EventOfJob;
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
