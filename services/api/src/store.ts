export type { Store } from '@expunge/runtime/store';

/** The injection token of the api's own database server. */
export const STORE = Symbol('Store');
