import { z } from 'zod';
import { BucketName, defineKeyMessage, type InBucket } from './bucket.js';
import { ErrorInfo, Totals } from './deletion-events.js';
import { defineMessage, type MessageOf, Timestamp } from './envelope.js';
import { Positions } from './positions.js';
import { WireId } from './record-id.js';

export const recordFailureCodes = [
  /** What stands at a key path is no key: its file would be left behind. */
  'KEY_UNREADABLE',
  /** A key is not the tenant's own. */
  'KEY_OUTSIDE_PREFIX',
  /** Its keys alone would fill more than a plan holds. */
  'TOO_MANY_KEYS',
  /** It changed between plan and delete, pass after pass. */
  'STILL_CHANGING',
  /** The records' database refuses to delete it, and it alone; the message is the server's. */
  'DELETE_REFUSED',
] as const;

/** A record that stays, and why. */
export const RecordFailure = z.object({
  id: WireId,
  code: z.enum(recordFailureCodes),
  message: z.string(),
});
export type RecordFailure = z.infer<typeof RecordFailure>;

const Batch = z.object({
  batch: z.int().positive(),
  count: z.int().nonnegative(),
  objectKeys: z.array(z.string().min(1)),
  /** Keys kept, for the first time in this job, because a record outside of it refers to them. */
  retained: z.array(z.string().min(1)),
  /** Records this batch gave up on, each for the first time. */
  failures: z.array(RecordFailure),
  totals: Totals,
  instance: z.string(),
  turn: z.int().positive(),
  startedAt: Timestamp,
});

/** The records of one plan are gone; `objectKeys` are theirs and nobody else's. Positions count from 0 in that list. */
export const [BatchDeleted, BatchDeletedInBucket] = defineKeyMessage<'BatchDeleted', z.infer<typeof Batch> & InBucket>({
  type: 'BatchDeleted',
  routingKey: 'batch.deleted',
  data: Batch,
  dataInBucket: Batch.extend({ bucket: BucketName }),
  namesBucket: ({ bucket }) => bucket !== undefined,
});
export type BatchDeleted = MessageOf<typeof BatchDeleted>;

export const delayCauses = [
  /** The records' database is unreachable or overloaded: waited for, up to STORE_RETRY_FOR. */
  'store',
  /** Anything else that went wrong: five attempts. */
  'error',
  /** More than MAX_PENDING_OBJECTS wait to be purged. */
  'purge-backlog',
  /** A whole pass deleted nothing, since each record changed under it. */
  'still-changing',
  /** Something of what a deletion needs is missing, and nothing has gone yet. */
  'preflight',
] as const;

/** The job waits until `retryAt`, and says for what. Only `purge-backlog` and `still-changing` are no attempts. */
export const BatchDelayed = defineMessage({
  type: 'BatchDelayed',
  routingKey: 'batch.delayed',
  data: z.object({
    cause: z.enum(delayCauses),
    attempt: z.int().nonnegative(),
    error: ErrorInfo,
    retryAt: Timestamp,
    instance: z.string(),
  }),
});
export type BatchDelayed = MessageOf<typeof BatchDelayed>;

const Purge = z.object({
  batch: z.int().positive(),
  positions: Positions,
  objectKeys: z.array(z.string().min(1)),
  /** When the batch was first handed over: how long a purge is retried counts from here. */
  since: Timestamp,
  /** Which of the job's retries asks; left out: none, the batch itself did. */
  round: z.int().positive().optional(),
  /** Positions not asked for again, since a record refers to their keys by now. */
  retained: Positions.optional(),
});

/**
 * Some positions of a batch, again: the storage-cleaner's own copy for its next attempt, or, with a sequence, what the
 * deleter asks for on a person's retry. `objectKeys[i]` is at the i-th position.
 */
export const [PurgeRequested, PurgeRequestedInBucket] = defineKeyMessage<
  'PurgeRequested',
  z.infer<typeof Purge> & InBucket
>({
  type: 'PurgeRequested',
  routingKey: 'purge.requested',
  data: Purge,
  dataInBucket: Purge.extend({ bucket: BucketName }),
  namesBucket: ({ bucket }) => bucket !== undefined,
});
export type PurgeRequested = MessageOf<typeof PurgeRequested>;
