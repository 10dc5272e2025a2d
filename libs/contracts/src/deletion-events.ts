import { z } from 'zod';
import { defineMessage, type MessageOf, Timestamp } from './envelope.js';
import { WireId } from './record-id.js';
import { DeleteRequest } from './requests.js';

/** Cumulative, of the whole job so far: the last event alone tells the counts. */
export const Totals = z.object({
  /** BatchDeleted events so far; the number of the last one. */
  batches: z.int().nonnegative(),
  /** Records planned by this job and gone. */
  succeeded: z.int().nonnegative(),
  /** Records left where they are, each with a failure. */
  failed: z.int().nonnegative(),
  /** Object keys handed to the storage-cleaner. */
  objects: z.int().nonnegative(),
  /** Object keys kept because another record refers to them. */
  retained: z.int().nonnegative(),
});
export type Totals = z.infer<typeof Totals>;

/** What a job may touch at most: records that existed when it was requested. */
export const Bound = z.union([
  z.object({ createdAtMost: Timestamp }),
  /** Null: there was no record, so there is nothing to delete. */
  z.object({ idAtMost: WireId.nullable() }),
]);
export type Bound = z.infer<typeof Bound>;

/** `code` is for machines and stays the same (`RECORDS_UNAVAILABLE`); `message` is for people. */
export const ErrorInfo = z.object({ code: z.string().min(1), message: z.string() });
export type ErrorInfo = z.infer<typeof ErrorInfo>;

/** Carries the whole request, so that the projection needs no other event to show the job. */
export const DeletionStarted = defineMessage({
  type: 'DeletionStarted',
  routingKey: 'deletion.started',
  data: z.object({
    request: DeleteRequest,
    requestedAt: Timestamp,
    bound: Bound,
    instance: z.string(),
    /** Records that matched at the start; null where counting took too long. */
    total: z.int().nonnegative().nullable(),
    totalIsEstimate: z.boolean(),
  }),
});
export type DeletionStarted = MessageOf<typeof DeletionStarted>;

/** A request took effect: `requestId` is its message id, `by` who asked. */
const Answer = z.object({ requestId: z.string(), by: z.string(), reason: z.string().nullable(), totals: Totals });

export const DeletionPaused = defineMessage({ type: 'DeletionPaused', routingKey: 'deletion.paused', data: Answer });
export type DeletionPaused = MessageOf<typeof DeletionPaused>;

/** Also the answer to a retry or a confirmation: `requestType` says so; left out, it was a resume. */
export const DeletionResumed = defineMessage({
  type: 'DeletionResumed',
  routingKey: 'deletion.resumed',
  data: Answer.extend({ requestType: z.string().optional() }),
});
export type DeletionResumed = MessageOf<typeof DeletionResumed>;

/** The answer to the retry of a job that stays cancelled: only purges that failed are asked for again. */
export const PurgesRetried = defineMessage({
  type: 'PurgesRetried',
  routingKey: 'deletion.purges-retried',
  data: Answer,
});
export type PurgesRetried = MessageOf<typeof PurgesRetried>;

/** The end of the job; `totals` of one that was cancelled before its request arrived are nothing. */
export const DeletionCancelled = defineMessage({
  type: 'DeletionCancelled',
  routingKey: 'deletion.cancelled',
  data: Answer,
});
export type DeletionCancelled = MessageOf<typeof DeletionCancelled>;

export const RateChanged = defineMessage({
  type: 'RateChanged',
  routingKey: 'deletion.rate-changed',
  data: Answer.extend({ maxRecordsPerSecond: z.number().positive().nullable() }),
});
export type RateChanged = MessageOf<typeof RateChanged>;

/** Every record that matched is gone or a failure; objects may still wait to be purged. */
export const DeletionFinished = defineMessage({
  type: 'DeletionFinished',
  routingKey: 'deletion.finished',
  data: z.object({ totals: Totals, instance: z.string() }),
});
export type DeletionFinished = MessageOf<typeof DeletionFinished>;

/** Given up, after its attempts or a refusal that trying again would not change. What was deleted stays deleted. */
export const DeletionFailed = defineMessage({
  type: 'DeletionFailed',
  routingKey: 'deletion.failed',
  data: z.object({ error: ErrorInfo, totals: Totals, instance: z.string() }),
});
export type DeletionFailed = MessageOf<typeof DeletionFailed>;

/**
 * More records match than may go unasked, `limit`: nothing goes before somebody confirms. `total` has an estimate where
 * counting stopped early: so many there are at least.
 */
export const ConfirmationAwaited = defineMessage({
  type: 'ConfirmationAwaited',
  routingKey: 'deletion.confirmation-awaited',
  data: z.object({ total: z.int().nonnegative(), totalIsEstimate: z.boolean(), limit: z.int().nonnegative() }),
});
export type ConfirmationAwaited = MessageOf<typeof ConfirmationAwaited>;

export const DRY_RUN_SAMPLE = 100;

export const DryRunFound = z.object({
  total: z.int().nonnegative(),
  totalIsEstimate: z.boolean(),
  /** The first in the order of ids. `failure`: why it would stay. */
  sample: z
    .array(z.object({ id: WireId, objectKeys: z.array(z.string()), failure: ErrorInfo.optional() }))
    .max(DRY_RUN_SAMPLE),
});
export type DryRunFound = z.infer<typeof DryRunFound>;

/** What would go. Nothing did. */
export const DryRunFinished = defineMessage({
  type: 'DryRunFinished',
  routingKey: 'deletion.dry-run-finished',
  data: z.object({
    total: DryRunFound.shape.total,
    totalIsEstimate: DryRunFound.shape.totalIsEstimate,
    bound: Bound,
    sample: DryRunFound.shape.sample,
  }),
});
export type DryRunFinished = MessageOf<typeof DryRunFinished>;

export const refusals = [
  /** The job exists, with another request. */
  'conflict',
  /** It arrived after its `notAfter`. */
  'expired',
  /** A later request was applied before it, or displaced it. */
  'superseded',
  /** No such job, also after every retry. */
  'unknown-job',
  /** Not in the job's state. */
  'not-allowed',
  /** What it asks for cannot be done at all. */
  'invalid',
] as const;

/** Has no sequence: it is no step of the job, and may speak of a job that does not exist. */
export const RequestRefused = defineMessage({
  type: 'RequestRefused',
  routingKey: 'deletion.request-refused',
  data: z.object({
    requestId: z.string(),
    requestType: z.string(),
    reason: z.enum(refusals),
    message: z.string(),
  }),
});
export type RequestRefused = MessageOf<typeof RequestRefused>;

/** The deleter's events of a job are numbered: the number is the id. */
export const deletionEventId = (job: string, sequence: number): string => `${job}:${sequence}`;
/** A repeated request gets the same refusal; another request with the same id but another body gets its own. */
export const requestRefusedId = (requestId: string, bodyHash: string): string => `${requestId}:refused:${bodyHash}`;
