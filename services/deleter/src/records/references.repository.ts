import type { ResourceDefinition } from '@expunge/contracts';
import { type Db, type Document, MongoServerError } from 'mongodb';
import { dotted, parseKeyPath, readKeys } from './key-path.js';

/** The server stopped an operation at its `maxTimeMS`. */
export const ranOutOfTime = (error: unknown): boolean => error instanceof MongoServerError && error.code === 50;

/** A collection's own collation may take 'acme' and 'ACME' for the same tenant, id or key. */
export const exact = { collation: { locale: 'simple' } } as const;

/** Records looked at in one go: a key that a million records share must not bring a million records here. */
const AT_ONCE = 1000;

/**
 * Which of `keys` some record refers to, by the index on each key path. `except` leaves out records of one resource.
 * Each round asks only for keys not yet found, so a widely shared key costs one round. With `giveUpAfterMs` a round that
 * takes longer finds nothing.
 */
export async function findReferred(
  db: Db,
  holders: readonly { holder: ResourceDefinition; except: Document | null }[],
  keys: readonly string[],
  giveUpAfterMs?: number,
): Promise<Set<string>> {
  const missing = new Set(keys);
  const found = new Set<string>();
  for (const { holder, except } of holders) {
    for (const text of holder.objectKeyPaths) {
      const path = parseKeyPath(text);
      for (;;) {
        if (missing.size === 0) return found;
        const wanted = { [dotted(path)]: { $in: [...missing] } };
        const filter = except ? { $and: [wanted, { $nor: [except] }] } : wanted;
        const records = await db
          .collection(holder.collection)
          .find(filter, {
            ...exact,
            projection: { _id: 0, [dotted(path)]: 1 },
            limit: AT_ONCE,
            maxTimeMS: giveUpAfterMs ?? 30_000,
          })
          .toArray()
          .catch((error: unknown) => {
            if (giveUpAfterMs !== undefined && ranOutOfTime(error)) return [];
            throw error;
          });
        const before = missing.size;
        for (const record of records)
          for (const key of keysIn(record, path.text, missing)) {
            missing.delete(key);
            found.add(key);
          }
        if (records.length < AT_ONCE || missing.size === before) break;
      }
    }
  }
  return found;
}

/** Which wanted keys a record holds at a path, whatever else stands there. */
function keysIn(record: Document, path: string, wanted: ReadonlySet<string>): string[] {
  const keys = readKeys(record, [parseKeyPath(path)]);
  if (keys.readable) return keys.keys.filter((key) => wanted.has(key));
  // The shape is not the declared one, yet the database matched a key somewhere in it.
  const texts: string[] = [];
  JSON.stringify(record, (_, value: unknown) => {
    if (typeof value === 'string' && wanted.has(value)) texts.push(value);
    return typeof value === 'bigint' ? null : value;
  });
  return texts;
}
