import { isThrottled } from '@expunge/contracts';
import { keyFormOf } from '../object-store/key-form.js';
import type { CallLimits } from '../object-store/call-limit.js';
import type { ObjectStore, Presence } from '../object-store/object-store.js';
import { type CheckedKey, type KeyPresence, refusalToWaitFor } from './check-outcome.js';
import { commonFolder } from './common-folder.js';

/** Calls of one message under way at once. */
const CONCURRENT_CALLS = 16;
/** R2 bills a list as 12.5 looks for one object. */
const WORTH_A_LIST = 13;

/** Asks each key's bucket for objects that should be gone. */
export class CheckService {
  constructor(
    private readonly store: ObjectStore,
    private readonly limits: CallLimits,
  ) {}

  /** In the order given; it ends early once the store is away or busy. `onAnswer`: at each answer of the bucket. */
  async check(keys: readonly CheckedKey[], onAnswer: () => void = () => undefined): Promise<KeyPresence[]> {
    const unlisted = await this.unlisted(keys, onAnswer);
    const found: (KeyPresence | undefined)[] = [];
    const waiting = keys.entries();
    let isAway = false;
    const ask = async (key: CheckedKey) => {
      if (isAway) return null;
      const presence = await this.presenceOf(key);
      isAway ||= refusalToWaitFor([{ ...key, presence }]) !== null;
      return presence;
    };
    const worker = async () => {
      for (const [i, key] of waiting) {
        const presence = unlisted.has(key) ? 'absent' : await this.limits.of(key.bucket).run(() => ask(key), saysBusy);
        if (presence === null) return;
        onAnswer();
        found[i] = { ...key, presence };
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

/** Null: the bucket was not asked. */
function saysBusy(presence: Presence | null): boolean | null {
  return presence === null ? null : typeof presence === 'object' && isThrottled(presence.refusal);
}
