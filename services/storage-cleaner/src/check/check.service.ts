import { keyFormOf } from '../object-store/key-form.js';
import type { ObjectStore } from '../object-store/object-store.js';
import { type CheckedKey, type KeyPresence, refusalToWaitFor } from './check-outcome.js';

/** Calls of one message under way at once. */
const CONCURRENT_CALLS = 16;

/** Asks each key's bucket for objects that should be gone. */
export class CheckService {
  constructor(private readonly store: ObjectStore) {}

  /** In the order given; it ends early once the store is away or busy. `onAnswer`: at each answer of the bucket. */
  async check(keys: readonly CheckedKey[], onAnswer: () => void = () => undefined): Promise<KeyPresence[]> {
    const found: (KeyPresence | undefined)[] = [];
    const waiting = keys.entries();
    let isAway = false;
    const worker = async () => {
      for (const [i, key] of waiting) {
        if (isAway) return;
        const one = { ...key, presence: await this.presenceOf(key) };
        onAnswer();
        isAway ||= refusalToWaitFor([one]) !== null;
        found[i] = one;
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_CALLS }, worker));
    return found.filter((one) => one !== undefined);
  }

  /** What no request can name was never purged either: that is reported as failed. */
  private async presenceOf({ key, bucket }: CheckedKey): Promise<KeyPresence['presence']> {
    const form = keyFormOf(key);
    if (form === 'bulk' || form === 'single') return this.store.inBucket(bucket).has(key);
    return { kind: 'refused', refusal: { code: 'KEY_NOT_SENDABLE', message: 'no request names it', status: null } };
  }
}
