/** The most keys one bulk call may carry: the S3 API's limit, which the SDK does not check. */
export const MAX_KEYS_PER_CALL = 1000;

/** Why a call, or one key of it, was not carried out. `code` is the store's own, or one of ours when nobody answered. */
export interface Refusal {
  code: string;
  message: string;
  /** The HTTP status of a whole call; null for one key inside an answer, and where there was no answer. */
  status: number | null;
}

/**
 * What a store said. A key may stand in neither list: then nothing is known of it.
 * `refused` means the whole call failed; keys of it may be gone all the same.
 */
export type Answer =
  | { kind: 'answered'; deleted: string[]; errors: (Refusal & { key: string })[] }
  | { kind: 'refused'; refusal: Refusal };

/** Whether the bucket holds an object. */
export type Presence = 'present' | 'absent' | Extract<Answer, { kind: 'refused' }>;

/** What lies under a prefix: the first thousand keys, `isWhole` if there are no more. */
export type Listing = { kind: 'listed'; keys: string[]; isWhole: boolean } | Extract<Answer, { kind: 'refused' }>;

/** Whether a delete only hides an object. */
export type Versioning = 'off' | 'on' | 'suspended';

/** The port to one bucket. Deleting what is not there counts as deleted, so every call may be repeated. */
export interface Bucket {
  /** One call with at most MAX_KEYS_PER_CALL different keys. Always answers within the store's time limit. */
  deleteMany(keys: readonly string[]): Promise<Answer>;
  /** For a key that the bulk call cannot carry unharmed. */
  deleteOne(key: string): Promise<Answer>;
  /** Asks for one object without reading it. */
  has(key: string): Promise<Presence>;
  /** One call, of which no more is read than its first page. */
  list(prefix: string): Promise<Listing>;
  /** Null when the bucket answers and lets us in. */
  probe(): Promise<Refusal | null>;
  versioning(): Promise<Versioning | Refusal>;
}

/** The store, by the bucket that is its own (S3_BUCKET). */
export interface ObjectStore extends Bucket {
  /** Another one of the same store, by the same token; undefined: its own. */
  inBucket(name: string | undefined): Bucket;
  close(): void;
}

export const OBJECT_STORE = Symbol('ObjectStore');
