import type { AsOf } from '@expunge/contracts';
import { asStoreError } from '@expunge/runtime/store';
import type { Collection, Db, Document } from 'mongodb';
import type { NotFolded } from './in-hand.js';

interface FoldMark {
  _id: 'fold';
  /** The instance that folds: the last one that was given a delivery. */
  instance: string;
  position: number;
  foldedAt: Date | null;
  beatAt: Date;
  /** How long what was not folded at `beatAt` had waited; 0: nothing waited; null: nobody knew. */
  lagMs?: number | null;
  /** The same without the events in `unfoldable`. */
  lagOfOthersMs?: number | null;
  unfoldable?: NotFolded[];
}

/** A folding instance says that it lives every second: older than this, it may be frozen and nothing it said holds. */
const STALE_MS = 5000;
const CODE = 'MONITOR_STORE_UNAVAILABLE';
const never: AsOf = { position: 0, at: null, lagMs: null, monitorHeartbeatAgeMs: null };

export interface Beat {
  instance: string;
  position: number;
  lagMs: number | null;
  lagOfOthersMs?: number | null;
  unfoldable?: NotFolded[];
}

/** How far the fold is, and that whoever folds lives. All times are the database's. */
export class FoldMarkRepository {
  private readonly marks: Collection<FoldMark>;

  constructor(db: Db) {
    this.marks = db.collection<FoldMark>('fold', { writeConcern: { w: 1 } });
  }

  /** Said on deliveries: this instance is the one that folds now, whoever it was before. */
  async takeOver(beat: Beat): Promise<void> {
    await asStoreError(CODE, () => this.marks.updateOne({ _id: 'fold' }, marked(beat), { upsert: true }));
  }

  /** False when another instance folds by now. */
  async beat(beat: Beat): Promise<boolean> {
    const { matchedCount } = await asStoreError(CODE, () =>
      this.marks.updateOne({ _id: 'fold', instance: beat.instance }, marked(beat)),
    );
    return matchedCount === 1;
  }

  async asOf(): Promise<AsOf> {
    return (await this.read()).asOf;
  }

  /** `unfoldable`: what the folding instance could not fold. `lagOfOthersMs`: how late everything else is. */
  async read(): Promise<{ asOf: AsOf; unfoldable: NotFolded[]; lagOfOthersMs: number | null }> {
    const [mark] = await asStoreError(CODE, () =>
      this.marks
        .aggregate<FoldMark & { ageMs: number | bigint }>([
          { $match: { _id: 'fold' } },
          { $set: { ageMs: { $subtract: ['$$NOW', '$beatAt'] } } },
        ])
        .toArray(),
    );
    if (!mark) return { asOf: never, unfoldable: [], lagOfOthersMs: null };
    const age = Math.max(0, Number(mark.ageMs));
    const asOf = {
      position: mark.position,
      at: mark.foldedAt?.toISOString() ?? null,
      lagMs: lagNow(mark.lagMs ?? null, age),
      monitorHeartbeatAgeMs: age,
    };
    const lagOfOthersMs = lagNow(mark.lagOfOthersMs ?? null, age);
    return { asOf, unfoldable: mark.unfoldable ?? [], lagOfOthersMs };
  }
}

/** The wait goes on since the mark was made. With an old mark nobody knows whether something waits. */
function lagNow(lagMs: number | null, ageMs: number): number | null {
  if (lagMs === null) return null;
  if (lagMs > 0) return lagMs + ageMs;
  return ageMs > STALE_MS ? null : 0;
}

/** As an expression: the position never goes back, and the database's clock is what counts. */
function marked({ instance, position, lagMs, lagOfOthersMs = lagMs, unfoldable = [] }: Beat): Document[] {
  const known = { $ifNull: ['$position', 0] };
  return [
    {
      $set: {
        instance,
        beatAt: '$$NOW',
        lagMs: { $literal: lagMs },
        lagOfOthersMs: { $literal: lagOfOthersMs },
        unfoldable: { $literal: unfoldable },
        foldedAt: { $cond: [{ $gt: [position, known] }, '$$NOW', { $ifNull: ['$foldedAt', null] }] },
        position: { $max: [known, position] },
      },
    },
  ];
}
