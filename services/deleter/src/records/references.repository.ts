import type { ResourceDefinition } from '@expunge/contracts';
import { type Db, type Document, MongoServerError } from 'mongodb';
import { dotted, type KeyPath, parseKeyPath, readKeys } from './key-path.js';

/** The server stopped an operation at its `maxTimeMS`. */
export const ranOutOfTime = (error: unknown): boolean => error instanceof MongoServerError && error.code === 50;

/** A collection's own collation may take 'acme' and 'ACME' for the same tenant, id or key. */
export const exact = { collation: { locale: 'simple' } } as const;

/** Records looked at in one go: a key that a million records share must not bring a million records here. */
const AT_ONCE = 1000;

/**
 * Which of `keys` some record refers to, by the index on each key path, all at once. `except` leaves out records of one
 * resource. Each round asks only for keys not yet found, so a widely shared key costs one round. With `giveUpAfterMs` a
 * round that takes longer finds nothing.
 */
export async function findReferred(
  db: Db,
  holders: readonly { holder: ResourceDefinition; except: Document | null }[],
  keys: readonly string[],
  giveUpAfterMs?: number,
): Promise<Set<string>> {
  const missing = new Set(keys);
  const lookAt = async (holder: ResourceDefinition, path: KeyPath, except: Document | null) => {
    for (let more = true; more && missing.size > 0;) {
      const asked = new Set(missing);
      const wanted = { [dotted(path)]: { $in: [...asked] } };
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
      const found = new Set(records.flatMap((record) => keysIn(record, path.text, asked)));
      for (const key of found) missing.delete(key);
      more = records.length === AT_ONCE && found.size > 0;
    }
  };
  await Promise.all(
    holders.flatMap(({ holder, except }) =>
      holder.objectKeyPaths.map((text) => lookAt(holder, parseKeyPath(text), except)),
    ),
  );
  return new Set(keys.filter((key) => !missing.has(key)));
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
