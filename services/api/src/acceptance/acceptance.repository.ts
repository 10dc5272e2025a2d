import { asStoreError, isDuplicateKey, SETTINGS } from '@expunge/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { ApiSettings } from '../settings.js';
import { STORE, type Store } from '../store.js';
import type { Acceptance } from './acceptance.js';

const UNAVAILABLE = 'API_STORE_UNAVAILABLE';

/** Every write is one document's, conditional on what was read. Each method throws TransientError when the store is away. */
@Injectable()
export class AcceptanceRepository {
  private readonly acceptances: mongoose.mongo.Collection<Acceptance>;

  constructor(@Inject(STORE) store: Store, @Inject(SETTINGS) settings: ApiSettings) {
    this.acceptances = store.db(`${settings.DATABASE_PREFIX}api`).collection('acceptances');
  }

  find(id: string): Promise<Acceptance | null> {
    return asStoreError(UNAVAILABLE, () => this.acceptances.findOne({ _id: id }));
  }

  /** False when the id is taken. */
  async insert(acceptance: Acceptance): Promise<boolean> {
    try {
      await asStoreError(UNAVAILABLE, () => this.acceptances.insertOne(acceptance));
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** False when somebody else wrote since `found` was read. */
  async replace(found: Acceptance, next: Acceptance): Promise<boolean> {
    const { _id, state, attempts } = found;
    const result = await asStoreError(UNAVAILABLE, () => this.acceptances.replaceOne({ _id, state, attempts }, next));
    return result.matchedCount === 1;
  }

  /** The broker has it, whatever anybody else knew. */
  async markAccepted(id: string): Promise<void> {
    await asStoreError(UNAVAILABLE, () =>
      this.acceptances.updateOne({ _id: id }, { $set: { state: 'accepted' as const } }),
    );
  }
}
