import type { AnyMessage } from '@expunge/contracts';

/** A long list of object keys, as the ledger keeps it. `hash` is of the whole list; the deleter's event store has the keys. */
export interface KeyList {
  count: number;
  hash: string;
  first: string[];
}

/** Keys of a list that are kept as they are. */
export const FIRST_KEYS = 20;

type WithKeyLists<M extends { data: object }, Field extends keyof M['data']> = Omit<M, 'data'> & {
  data: Omit<M['data'], Field> & Record<Field, KeyList>;
};

type Compacted<M extends AnyMessage> = M extends { type: 'BatchDeleted' }
  ? WithKeyLists<M, 'objectKeys' | 'retained'>
  : M extends { type: 'PurgeRequested' }
    ? WithKeyLists<M, 'objectKeys'>
    : M;

/** A message as the ledger keeps it. The fold reads no other form, so that a rebuild from the ledger gives the same. */
export type LedgerMessage = Compacted<AnyMessage>;

export interface Recorded<M extends LedgerMessage = LedgerMessage> {
  position: number;
  message: M;
}

export type MessageNamed<Type extends LedgerMessage['type']> = Extract<LedgerMessage, { type: Type }>;
