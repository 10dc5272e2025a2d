import { z } from 'zod';
import { defineMessage, type MessageOf, Timestamp } from './envelope.js';
import { Selection } from './selection.js';

export const verifyModes = [
  /** A thousand of the purged keys, and the records. */
  'sample',
  /** Every purged key, and the records. */
  'full',
  /** Nothing at all. */
  'none',
] as const;
export type VerifyMode = (typeof verifyModes)[number];

export const JobOptions = z.object({
  /** Records a batch, 1 to 2,000. */
  batchSize: z.int().min(1).max(2000).default(500),
  /** Left out: as fast as it goes. */
  maxRecordsPerSecond: z.int().min(1).max(1_000_000).optional(),
  /** How much is looked for in the bucket once the last object was purged; left out: a sample. */
  verify: z.enum(verifyModes).optional(),
  /** Nothing is deleted: what would go is counted, and some of it shown. */
  dryRun: z.boolean().optional(),
  /** The dry run, of the same resource and selection, whose bound this deletion has. */
  basedOn: z.uuid().optional(),
  /** No more records go than that: the job fails before. */
  expectedMaxRecords: z.int().min(1).max(1_000_000_000_000).optional(),
});
export type JobOptions = z.infer<typeof JobOptions>;

/** Whether an option holds a deletion back, so that whoever does not know it must not read the request. */
export const hasBrakes = ({ dryRun, basedOn, expectedMaxRecords }: JobOptions): boolean =>
  dryRun === true || basedOn !== undefined || expectedMaxRecords !== undefined;

const Actor = z.object({ requestedBy: z.string().min(1), reason: z.string().max(1000).nullable().default(null) });

/** What is to be deleted, and who asked. The tenant is in the envelope. */
export const DeleteRequest = Actor.extend({
  resource: z.string().min(1),
  selection: Selection,
  options: JobOptions,
  /** A request that arrives later than this is refused: an old broker backup must not delete anything. */
  notAfter: Timestamp,
});
export type DeleteRequest = z.infer<typeof DeleteRequest>;

export const DeleteRequested = defineMessage({
  type: 'DeleteRequested',
  routingKey: 'delete.requested',
  data: DeleteRequest,
});
export type DeleteRequested = MessageOf<typeof DeleteRequested>;

/** With brakes: a version of its own, since a deleter of the first release would leave them out and delete. */
export const BrakedDeleteRequested = defineMessage({
  type: 'DeleteRequested',
  version: 2,
  routingKey: 'delete.requested',
  data: DeleteRequest,
});

export const PauseRequested = defineMessage({
  type: 'PauseRequested',
  routingKey: 'delete.pause-requested',
  data: Actor,
});
export type PauseRequested = MessageOf<typeof PauseRequested>;

export const ResumeRequested = defineMessage({
  type: 'ResumeRequested',
  routingKey: 'delete.resume-requested',
  data: Actor,
});
export type ResumeRequested = MessageOf<typeof ResumeRequested>;

export const CancelRequested = defineMessage({
  type: 'CancelRequested',
  routingKey: 'delete.cancel-requested',
  data: Actor,
});
export type CancelRequested = MessageOf<typeof CancelRequested>;

export const RetryRequested = defineMessage({
  type: 'RetryRequested',
  routingKey: 'delete.retry-requested',
  data: Actor,
});
export type RetryRequested = MessageOf<typeof RetryRequested>;

export const ConfirmRequested = defineMessage({
  type: 'ConfirmRequested',
  routingKey: 'delete.confirm-requested',
  data: Actor,
});
export type ConfirmRequested = MessageOf<typeof ConfirmRequested>;

export const RateChangeRequested = defineMessage({
  type: 'RateChangeRequested',
  routingKey: 'delete.rate-change-requested',
  data: Actor.extend({ maxRecordsPerSecond: z.number().positive().nullable() }),
});
export type RateChangeRequested = MessageOf<typeof RateChangeRequested>;

/** What a person may ask of a job that there is. */
export type ControlRequest =
  PauseRequested | ResumeRequested | CancelRequested | RetryRequested | ConfirmRequested | RateChangeRequested;

/** The one delete request of a job: the id is derived, so that sending it again is the same message. */
export const deleteRequestedId = (job: string): string => `${job}:delete-requested`;
/** `verb` is what was asked; `key` tells one asking from another, so that the same one sent again is the same message. */
export const controlRequestId = (job: string, verb: string, key: string): string => `${job}:${verb}:${key}`;
