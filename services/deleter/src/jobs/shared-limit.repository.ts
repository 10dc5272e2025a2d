import { asStoreError, isDuplicateKey } from '@expunge/runtime/store';
import type { Collection, Db } from 'mongodb';
import { PLACES_AHEAD_MS, type Places } from '../deletion-job/shared-limit.js';

const UNAVAILABLE = 'JOBS_UNAVAILABLE';
const RECORDS = 'records';

interface Stored {
  _id: typeof RECORDS;
  /** When the next place begins. */
  at: Date;
  /** Of the last one that asked: when it did, and when its place begins; null: it was given none. */
  now: Date;
  begins: Date | null;
}

export interface Reservation extends Places {
  /** Null: no place was given, and nothing reserved. */
  begins: Date | null;
}

/** The places of the limit of all jobs, in one document: all deleters take theirs from it, by its server's clock. */
export class SharedLimitRepository {
  private readonly limits: Collection<Stored>;

  constructor(db: Db) {
    this.limits = db.collection<Stored>('limits');
  }

  /** Null: no place was given yet. */
  async places(): Promise<Places | null> {
    const [found] = await asStoreError(UNAVAILABLE, () =>
      this.limits
        .aggregate<Places>([{ $match: { _id: RECORDS } }, { $project: { _id: 0, freeAt: '$at', now: '$$NOW' } }])
        .toArray(),
    );
    return found ?? null;
  }

  /**
   * The next place, of so many ms, unless it begins too far ahead, or is not free at once and the job yields.
   * @param yields until when the job leaves such a place to others
   */
  async reserve(ms: number, yields: Date | null): Promise<Reservation> {
    const isTooFar = { $gt: ['$at', { $add: ['$$NOW', PLACES_AHEAD_MS] }] };
    const isOthers = { $and: [{ $gt: ['$at', '$$NOW'] }, { $gt: [yields, '$$NOW'] }] };
    const change = [
      {
        $set: {
          now: '$$NOW',
          begins: { $cond: [{ $or: [isTooFar, isOthers] }, null, { $max: ['$at', '$$NOW'] }] },
        },
      },
      { $set: { at: { $cond: [{ $eq: ['$begins', null] }, '$at', { $add: ['$begins', ms] }] } } },
    ];
    const reserved = () =>
      asStoreError(UNAVAILABLE, () =>
        this.limits.findOneAndUpdate({ _id: RECORDS }, change, { upsert: true, returnDocument: 'after' }),
      );
    // Of two that make the document, one may find that it is there.
    const stored = await reserved().catch((error: unknown) => {
      if (isDuplicateKey(error)) return reserved();
      throw error;
    });
    if (!stored) throw new Error('the limit of all jobs was not written');
    return { now: stored.now, freeAt: stored.at, begins: stored.begins };
  }
}
