import { SETTINGS } from '@expunge/runtime';
import { asStoreError, isFirst } from '@expunge/runtime/store';
import { Inject, Injectable } from '@nestjs/common';
import type { Collection } from 'mongodb';
import type { ApiSettings } from '../settings.js';
import { STORE, type Store } from '../store.js';
import { type Acceptance, type AcceptanceState, overBefore } from './acceptance.js';

const UNAVAILABLE = 'API_STORE_UNAVAILABLE';
const MANY_WITHIN_MS = 10_000;

export interface JobOfTenant {
  id: string;
  tenant: string;
}

/** Every write is one document's, conditional on what was read. Each method throws TransientError when the store is away. */
@Injectable()
export class AcceptanceRepository {
  private readonly acceptances: Collection<Acceptance>;

  constructor(@Inject(STORE) store: Store, @Inject(SETTINGS) settings: ApiSettings) {
    this.acceptances = store.db(`${settings.DATABASE_PREFIX}api`).collection('acceptances');
  }

  find(id: string): Promise<Acceptance | null> {
    return asStoreError(UNAVAILABLE, () => this.acceptances.findOne({ _id: id }));
  }

  /** False when the id is taken. */
  insert(acceptance: Acceptance): Promise<boolean> {
    return isFirst(() => asStoreError(UNAVAILABLE, () => this.acceptances.insertOne(acceptance)));
  }

  /** Another attempt at a pending acceptance, as it is stored then; null when it is no longer what was found. */
  join({ _id, time }: Acceptance): Promise<Acceptance | null> {
    // Not conditional on `attempts`: of twenty who join at once, each would lose to all the others.
    const found = { _id, time, state: 'pending' as const };
    const next = { $inc: { attempts: 1 } };
    return asStoreError(UNAVAILABLE, () => this.acceptances.findOneAndUpdate(found, next, { returnDocument: 'after' }));
  }

  /** False when somebody else wrote since `found` was read. */
  async replace(found: Acceptance, next: Acceptance): Promise<boolean> {
    const { _id, state, attempts } = found;
    const result = await asStoreError(UNAVAILABLE, () => this.acceptances.replaceOne({ _id, state, attempts }, next));
    return result.matchedCount === 1;
  }

  /** The broker has it, whatever anybody else knew. Changes nothing of one that was accepted before. */
  async markAccepted(id: string, lookAt: string): Promise<void> {
    const before = { _id: id, state: { $in: ['pending' as const, 'refused' as const] } };
    await asStoreError(UNAVAILABLE, () =>
      this.acceptances.updateOne(before, { $set: { state: 'accepted' as const, lookAt } }),
    );
  }

  async createIndexes(): Promise<void> {
    await asStoreError(UNAVAILABLE, () =>
      this.acceptances.createIndexes([
        { key: { state: 1, 'request.notAfter': 1 } },
        { key: { 'request.notAfter': 1 } },
      ]),
    );
  }

  /** Removes at most `limit` of those that are over at `now`; how many. */
  async removeOver(now: Date, limit: number): Promise<number> {
    const isOver = { 'request.notAfter': { $lt: overBefore(now) } };
    return asStoreError(UNAVAILABLE, async () => {
      const found = await this.acceptances
        .find(isOver, { projection: { _id: 1 } })
        .limit(limit)
        .toArray();
      // Asked again: a new attempt under the same id may have begun meanwhile.
      const removed = await this.acceptances.deleteMany({ _id: { $in: found.map(({ _id }) => _id) }, ...isOver });
      return removed.deletedCount;
    });
  }

  /** Accepted, still valid, due for a look, and of no monitor known to have heard of it: the longest due first. */
  unheard(now: Date, limit: number): Promise<Acceptance[]> {
    const at = now.toISOString();
    const due = { state: 'accepted' as const, 'request.notAfter': { $gt: at }, lookAt: { $not: { $gt: at } } };
    return asStoreError(UNAVAILABLE, () => this.acceptances.find(due).sort({ lookAt: 1 }).limit(limit).toArray());
  }

  /** Still valid, perhaps at the broker, and of no monitor known to have heard of it. */
  promisedUnheard(now: Date): Promise<JobOfTenant[]> {
    return this.promised(['pending', 'accepted'], now.toISOString());
  }

  /** Perhaps at the broker, heard of or not, valid or not: all that are kept. */
  kept(now: Date): Promise<JobOfTenant[]> {
    return this.promised(['pending', 'accepted', 'heard'], overBefore(now));
  }

  /** The latest first. */
  private async promised(states: AcceptanceState[], notBefore: string): Promise<JobOfTenant[]> {
    const wanted = { state: { $in: states }, 'request.notAfter': { $gt: notBefore } };
    const options = { projection: { tenant: 1 }, timeoutMS: MANY_WITHIN_MS };
    const found = await asStoreError(UNAVAILABLE, () =>
      this.acceptances.find(wanted, options).sort({ 'request.notAfter': -1 }).toArray(),
    );
    return found.map(({ _id: id, tenant }) => ({ id, tenant }));
  }

  /** False when another instance has noted the same, or a monitor has heard of it. */
  async notePublishing({ _id, lookAt }: Acceptance, nextLookAt: string): Promise<boolean> {
    const found = { _id, state: 'accepted' as const, lookAt: lookAt ?? { $exists: false } };
    const noted = { $set: { lookAt: nextLookAt }, $inc: { publishedAgain: 1 } };
    const result = await asStoreError(UNAVAILABLE, () => this.acceptances.updateOne(found, noted));
    return result.matchedCount === 1;
  }

  async markHeard(id: string): Promise<void> {
    await asStoreError(UNAVAILABLE, () =>
      this.acceptances.updateOne({ _id: id, state: 'accepted' }, { $set: { state: 'heard' as const } }),
    );
  }
}
