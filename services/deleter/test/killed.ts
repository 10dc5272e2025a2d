import type { Publisher } from '@expunge/messaging';
import type { Records } from '../src/records/records.js';

/** Stops for good at a call, as a killed process does: what was sent may have happened, nothing follows. */
export class Killed extends Error {}

/** A worker that ends at its k-th call, and how to tell. */
export function killedAt(k: number, when: 'before' | 'after') {
  let calls = 0;
  let dead = false;
  const guard = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (dead) throw new Killed();
          calls += 1;
          const last = calls === k;
          if (last && when === 'before') dead = true;
          if (dead) throw new Killed();
          const result: unknown = await (value as (...all: unknown[]) => unknown).apply(object, args);
          if (last) dead = true;
          if (dead) throw new Killed();
          return result;
        };
      },
    });
  const wrappers = {
    records: guard<Records>,
    publisher: guard<Publisher>,
    jobs: guard,
    leftovers: guard,
    events: guard,
    failedPurges: guard,
  };
  return { wrappers, isDead: () => dead };
}
