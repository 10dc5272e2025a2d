import type {
  BatchDelayed,
  BatchDeleted,
  Bound,
  ConfirmationAwaited,
  ControlRequest,
  DeleteRequest,
  DeletionCancelled,
  DeletionFailed,
  DeletionFinished,
  DeletionPaused,
  DeletionResumed,
  DeletionStarted,
  DryRunFinished,
  ErrorInfo,
  PurgeRequested,
  PurgesRetried,
  RateChanged,
  RecordFailure,
  RecordsVerified,
  RequestRefused,
  Totals,
  WireId,
} from '@expunge/contracts';

/**
 * awaiting-confirmation  many records match, and nothing goes before somebody confirms it
 * dry-run-finished       it was counted what would go; nothing ever will
 * running     a slice deletes, or is due
 * pausing     a pause was asked for; the batch under way is still to be resolved
 * paused      no record goes until somebody resumes the job
 * cancelling  a cancel was asked for; the batch under way is still to be resolved
 * cancelled   no record goes any more
 * finished    every record that matched is gone or a failure
 * failed      gave up; the cursor stays, so that a retry goes on from it
 */
export type DeletionState =
  | 'awaiting-confirmation'
  | 'dry-run-finished'
  | 'running'
  | 'pausing'
  | 'paused'
  | 'cancelling'
  | 'cancelled'
  | 'finished'
  | 'failed';

/** What the job's own sequence numbers. */
export type NumberedEvent =
  | DeletionStarted
  | ConfirmationAwaited
  | DryRunFinished
  | BatchDeleted
  | BatchDelayed
  | DeletionPaused
  | DeletionResumed
  | DeletionCancelled
  | RateChanged
  | PurgesRetried
  | PurgeRequested
  | DeletionFinished
  | RecordsVerified
  | DeletionFailed;
export type DeletionEvent = NumberedEvent | RequestRefused;

/** A record about to be deleted, and the keys of the files it owned when it was read. */
export interface PlannedRecord {
  id: WireId;
  keys: string[];
}

/** The write-ahead note of one batch. While it stands, its keys are nowhere else; so it is resolved, never dropped. */
export interface Plan {
  /** The slice that may delete by it: instance and turn. */
  owner: string;
  /** On the records server's clock: that server refuses a delete that begins later. */
  until: Date;
  records: PlannedRecord[];
  /** Records of the page that stay. */
  failures: RecordFailure[];
  /** The greatest id of the page: the cursor once the plan is resolved. */
  closesAt: WireId;
  startedAt: Date;
  /** The resource's when it was planned, whatever RESOURCES_FILE says by the time it is resolved. */
  bucket?: string;
}

export interface Pass {
  /** Records planned since the pass began at the front. */
  found: number;
  deleted: number;
  /** Whole passes before this one, in a row, that found records and could delete none. */
  stalled: number;
}

export type DelayCause = BatchDelayed['data']['cause'];

/** One run through the selection in id order. A job has one; several would divide the ids between them. */
export interface Lane {
  /** Everything up to this id has been planned in this pass; null at the front. */
  cursor: WireId | null;
  plan: Plan | null;
  pass: Pass;
  /** Records of one batch at most, since the server refused a larger one or was slow; null: as many as the request says. */
  batchLimit: number | null;
  /** Which slice message is the live one. */
  turn: number;
  /** Slices started since the last progress; sets the backoff. */
  attempt: number;
  /** Those of them that no unreachable store explains: they ended in an error, or with their worker. */
  strikes: number;
  /** The process whose slice has started and has not said how it ended. */
  holder: string | null;
  waiting: { cause: DelayCause; since: Date; retryAt: Date; error: ErrorInfo } | null;
  /** How long slices have been at it since the last progress; null: not at all, or what it waits for is known. */
  noProgress: { ms: number; at: Date } | null;
  /** With a rate: when the next batch may begin, on the records server's clock. */
  paceAt: Date | null;
  /** At a limit of all jobs: until when it gives way to those that had less, on the clock of the deleter's own database. */
  yieldsUntil?: Date | null;
}

/** A request that has fenced the job and is not answered yet. */
export interface Pending {
  id: string;
  type: ControlRequest['type'];
  /** When it was made. */
  time: string;
  by: string;
  reason: string | null;
  /** Of RateChangeRequested. */
  maxRecordsPerSecond: number | null;
  /** Why the plan before it could not be resolved yet. */
  waiting: { since: Date; retryAt: Date; attempt: number; strikes: number } | null;
}

/** The deleter's document of a job, and all that a worker needs to go on with it after any other died. */
export interface DeletionJob {
  id: string;
  tenant: string;
  /** Null: the job was cancelled before its request arrived. */
  request: DeleteRequest | null;
  requestedAt: string;
  /** The request's, to which each slice's own trace is linked. */
  traceparent: string | null;
  /** Of the request: another body under the same id is refused. */
  bodyHash: string | null;
  state: DeletionState;
  maxRecordsPerSecond: number | null;
  bound: Bound;
  lanes: [Lane];
  totals: Totals;
  /** The totals at the last retry, null without one: failures before it are not held against the job again. */
  retriedFrom: Pick<Totals, 'succeeded' | 'failed'> | null;
  /** Records that matched at the start; null where counting took too long. For percentages only. */
  total: number | null;
  /** Of the last event. */
  sequence: number;
  /** Grows with every write; every write is a compare-and-set on it. */
  revision: number;
  pending: Pending | null;
  /** Ids of the last requests that were answered. */
  answered: string[];
  /** When the last requests that took effect were made, for the job's state and its rate: older ones come too late. */
  appliedAt: { state: string | null; rate: string | null };
  /** The sequence of the last DeletionFinished, and of the one whose leftovers were looked for. */
  finished: number | null;
  verified: number | null;
  /** How often it was retried. Purges that failed before the last time are still to be asked for again, if `purgesDue`. */
  purgeRound: number;
  purgesDue: boolean;
  /** Events not yet known to stand in the event store and at the broker. */
  outbox: DeletionEvent[];
  writtenAt: Date;
}

/** Times of the protocol, in milliseconds. */
export const timing = {
  /** Work of one slice message. */
  slice: 1000,
  /** How long a plan may be deleted by. */
  plan: 1000,
  /** At most so much longer where writing the plan itself takes long. */
  slowWrite: 5000,
  /** A delete that began in time may run this long. */
  maxTime: 2000,
  /** After a fail-over another server's clock answers: how far it may be behind. */
  skew: 1000,
  /** Beyond slice and deadline, before the watchdog takes a job to be forgotten. */
  grace: 1000,
  /** How often a slice at work says so in the job's document. */
  keepAlive: 2000,
  /** A holder that has not written for as long is gone. */
  silence: 4000,
} as const;

/** Starts that no unreachable store explains, before the job fails. */
export const MAX_STRIKES = 5;
/** Whole passes that find records and can delete none, before what is left becomes failures. */
export const MAX_STALLED_PASSES = 3;

/** From here on, on the records server's clock, nobody can still be deleting by the plan. */
export function planDeadline(plan: Plan): Date {
  return new Date(plan.until.getTime() + timing.maxTime + timing.skew);
}

export const isActive = (state: DeletionState): boolean =>
  state === 'running' || state === 'pausing' || state === 'cancelling';

/** A cancelled job of which failed purges are asked for again, and nothing else. */
export const isOnlyPurging = ({ state, purgesDue }: Pick<DeletionJob, 'state' | 'purgesDue'>): boolean =>
  state === 'cancelled' && purgesDue;

/** Whether a slice message has anything to do. */
export const hasTurns = (job: Pick<DeletionJob, 'state' | 'purgesDue'>): boolean =>
  isActive(job.state) || isOnlyPurging(job);

/** When the watchdog may take the job to be forgotten; null when it is at rest. A pending request has waits of its own. */
export function dueAt(job: DeletionJob): Date | null {
  if (!hasTurns(job) && job.outbox.length === 0 && job.pending === null) return null;
  const { waiting } = job.pending ?? job.lanes[0];
  const from = Math.max(job.writtenAt.getTime(), waiting?.retryAt.getTime() ?? 0);
  return new Date(from + timing.slice + timing.plan + timing.maxTime + timing.skew + timing.grace);
}

/** What was asked for; a job cancelled before its request arrived has nothing to do. */
export function requestOf(job: DeletionJob): DeleteRequest {
  if (job.request === null) throw new Error(`job ${job.id} was cancelled before it was requested`);
  return job.request;
}

/** Replaces what changed of the job's one lane. */
export function withLane(job: DeletionJob, change: Partial<Lane>): DeletionJob {
  return { ...job, lanes: [{ ...job.lanes[0], ...change }] };
}
