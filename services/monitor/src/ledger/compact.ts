import { createHash } from 'node:crypto';
import type { AnyMessage } from '@expunge/contracts';
import { FIRST_KEYS, type KeyList, type LedgerMessage } from '../projection/recorded.js';

/** The message as the ledger keeps it: a batch may own thousands of keys, and the deleter's event store has them. */
export function compact(message: AnyMessage): LedgerMessage {
  switch (message.type) {
    case 'BatchDeleted': {
      const { objectKeys, retained, ...data } = message.data;
      return { ...message, data: { ...data, objectKeys: keyList(objectKeys), retained: keyList(retained) } };
    }
    case 'PurgeRequested':
      return { ...message, data: { ...message.data, objectKeys: keyList(message.data.objectKeys) } };
    default:
      return message;
  }
}

function keyList(keys: string[]): KeyList {
  const hash = createHash('sha256').update(JSON.stringify(keys)).digest('base64url');
  return { count: keys.length, hash, first: keys.slice(0, FIRST_KEYS) };
}
