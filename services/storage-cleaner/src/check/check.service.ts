import { keyFormOf } from '../object-store/key-form.js';
import type { ObjectStore } from '../object-store/object-store.js';
import { type CheckedKey, type KeyPresence, refusalToWaitFor } from './check-outcome.js';
import { commonFolder } from './common-folder.js';

/** Calls of one message under way at once. */
const CONCURRENT_CALLS = 16;
/** R2 bills a list as 12.5 looks for one object. */
const WORTH_A_LIST = 13;

/** Asks each key's bucket for objects that should be gone. */
export class CheckService {
  constructor(private readonly store: ObjectStore) {}

  /** In the order given; it ends early once the store is away or busy. `onAnswer`: at each answer of the bucket. */
  async check(keys: readonly CheckedKey[], onAnswer: () => void = () => undefined): Promise<KeyPresence[]> {
    const unlisted = await this.unlisted(keys, onAnswer);
    const found: (KeyPresence | undefined)[] = [];
    const waiting = keys.entries();
    let isAway = false;
    const worker = async () => {
      for (const [i, key] of waiting) {
        if (isAway) return;
        const one = { ...key, presence: unlisted.has(key) ? ('absent' as const) : await this.presenceOf(key) };
        onAnswer();
        isAway ||= refusalToWaitFor([one]) !== null;
        found[i] = one;
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_CALLS }, worker));
    return found.filter((one) => one !== undefined);
  }

  /**
   * Keys that a whole list of their folder does not name. Only those that XML carries unharmed; and what is named is
   * looked for by itself, since a store may name another key so. Whatever keeps from listing, each is looked for.
   */
  private async unlisted(keys: readonly CheckedKey[], onAnswer: () => void): Promise<Set<CheckedKey>> {
    const unlisted = new Set<CheckedKey>();
    const listable = keys.filter(({ key }) => keyFormOf(key) === 'bulk');
    for (const [name, asked] of Map.groupBy(listable, ({ bucket }) => bucket)) {
      if (asked.length < WORTH_A_LIST) continue;
      const listing = await this.store.inBucket(name).list(commonFolder(asked.map(({ key }) => key)));
      onAnswer();
      if (listing.kind === 'refused' || !listing.isWhole) continue;
      const listed = new Set(listing.keys);
      for (const one of asked) if (!listed.has(one.key)) unlisted.add(one);
    }
    return unlisted;
  }

  /** What no request can name was never purged either: that is reported as failed. */
  private async presenceOf({ key, bucket }: CheckedKey): Promise<KeyPresence['presence']> {
    const form = keyFormOf(key);
    if (form === 'bulk' || form === 'single') return this.store.inBucket(bucket).has(key);
    return { kind: 'refused', refusal: { code: 'KEY_NOT_SENDABLE', message: 'no request names it', status: null } };
  }
}
