import { asStoreError, isFirst } from '@expunge/runtime/store';
import type { Collection, Db } from 'mongodb';
import { emptyRoll, type Roll, type RollCallEvent } from './roll-call.js';

interface RollDocument extends Roll {
  _id: 'roll-call';
  /** Grows with every roll that differs from the one before it. */
  number: number;
  /** Of this roll's change, until the broker has confirmed them. */
  outbox: RollCallEvent[];
}

export interface StoredRoll {
  roll: Roll;
  number: number;
  outbox: RollCallEvent[];
}

const CODE = 'MONITOR_STORE_UNAVAILABLE';

/** The last roll, and what is still to be said of it. One document, written by compare-and-set on its number. */
export class RollCallRepository {
  private readonly rolls: Collection<RollDocument>;

  constructor(db: Db) {
    this.rolls = db.collection<RollDocument>('topology', { ignoreUndefined: true });
  }

  async read(): Promise<StoredRoll> {
    const found = await asStoreError(CODE, () => this.rolls.findOne({ _id: 'roll-call' }));
    if (!found) return { roll: emptyRoll, number: 0, outbox: [] };
    const { listeners, bindings, number, outbox } = found;
    return { roll: { listeners, bindings }, number, outbox };
  }

  /** False: another monitor wrote the next one first. */
  async next(after: number, { listeners, bindings }: Roll, outbox: RollCallEvent[]): Promise<boolean> {
    const document = { _id: 'roll-call' as const, listeners, bindings, number: after + 1, outbox };
    return asStoreError(CODE, async () => {
      if (after > 0)
        return (await this.rolls.replaceOne({ _id: 'roll-call', number: after }, document)).matchedCount === 1;
      return isFirst(() => this.rolls.insertOne(document));
    });
  }

  async said(number: number): Promise<void> {
    await asStoreError(CODE, () => this.rolls.updateOne({ _id: 'roll-call', number }, { $set: { outbox: [] } }));
  }
}
