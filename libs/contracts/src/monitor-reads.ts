import { z } from 'zod';
import { delayCauses, RecordFailure } from './batch-events.js';
import { DryRunFound, ErrorInfo } from './deletion-events.js';
import { Verdict } from './diagnosis.js';
import { Timestamp } from './envelope.js';
import { JobStatus } from './job-status.js';
import { WireId } from './record-id.js';
import { JobOptions } from './requests.js';
import { Condition } from './selection.js';
import { Residue } from './verification-messages.js';
import { MissingIndex } from './worker-messages.js';

/**
 * What the monitor answers the api over HTTP, camelCase, without a version of its own: fields are only added.
 *
 * | request                                                         | answer          |
 * |-----------------------------------------------------------------|-----------------|
 * | `GET /internal/jobs/:id?tenant=`                                | `JobAnswer`     |
 * | `GET /internal/jobs?tenant=&status=&resource=&cursor=&limit=`   | `JobsAnswer`    |
 * | `GET /internal/jobs/:id/events?tenant=&after=&limit=`           | `EventsAnswer`  |
 * | `GET /internal/jobs/:id/state?tenant=&at=`                      | `JobAnswer`     |
 * | `GET /internal/jobs/:id/failures?tenant=&cursor=&limit=`        | `FailuresAnswer` |
 * | `GET /internal/active-jobs?after=&limit=`                       | `ActiveJobsAnswer` |
 * | `GET /internal/known-jobs?ids=`                                 | `KnownJobsAnswer` |
 * | `GET /internal/resources`                                       | `ResourcesAnswer` |
 *
 * `status` and `ids` (at most 200) may be several, separated by commas. 404 and 400 are a `ReadProblem`; 503 means its database is away.
 * `at` is in UTC: the job as it was told by what the monitors had heard by then.
 */

/** How far an answer can be trusted. Ages are taken by the database's clock, so that hosts need not agree. */
export const AsOf = z.object({
  /** The greatest ledger position folded; 0 before the first. */
  position: z.int().nonnegative(),
  /** When that was; null before the first. */
  at: Timestamp.nullable(),
  /** How long a message not yet folded has waited, as measured last; 0: none waits; null: nobody can tell. */
  lagMs: z.number().nonnegative().nullable(),
  /** Since the folding monitor (not the answering one) last showed that it lives; null: it never did. */
  monitorHeartbeatAgeMs: z.number().nonnegative().nullable(),
});
export type AsOf = z.infer<typeof AsOf>;

const Count = z.int().nonnegative();

/** A selection by ids is told by their number and the first of them. */
export const SelectionView = z.union([
  z.object({ all: z.literal(true) }),
  z.object({ idCount: Count, firstIds: z.array(WireId) }),
  z.object({ filter: z.record(z.string(), Condition) }),
]);
export type SelectionView = z.infer<typeof SelectionView>;

export const JobProgress = z.object({
  /** `succeeded + failed`. */
  processed: Count,
  succeeded: Count,
  failed: Count,
  total: Count.nullable(),
  totalIsEstimate: z.boolean(),
  /** 0 to 100, one decimal; null while the total is not known. */
  percent: z.number().min(0).max(100).nullable(),
  objects: z.object({ handedOver: Count, purged: Count, failed: Count, retained: Count, pending: Count }),
});

export const JobView = z.object({
  id: z.string(),
  /** Null until an event that says so arrived: any event may be the first one heard of a job. */
  tenant: z.string().nullable(),
  resource: z.string().nullable(),
  selection: SelectionView.nullable(),
  options: JobOptions.nullable(),
  /** As it is now; null: as fast as it goes. */
  maxRecordsPerSecond: z.number().positive().nullable().default(null),
  requestedBy: z.string().nullable(),
  reason: z.string().nullable(),
  requestedAt: Timestamp.nullable(),
  status: JobStatus,
  progress: JobProgress,
  /** Over the last events; null when too few or too old to tell. */
  recordsPerSecond: z.number().nonnegative().nullable(),
  eta: Timestamp.nullable(),
  /** The job waits, for this, until then. */
  delayed: z.object({ cause: z.enum(delayCauses), error: ErrorInfo, attempt: Count, retryAt: Timestamp }).nullable(),
  lastError: ErrorInfo.extend({ at: Timestamp }).nullable(),
  /** The last pause, resume, cancel …; `reason` is the refusal's. */
  lastRequest: z
    .object({
      id: z.string(),
      type: z.string(),
      outcome: z.enum(['pending', 'applied', 'refused']),
      reason: z.string().nullable(),
      at: Timestamp,
    })
    .nullable(),
  /** Who started it, and who was last heard to work on it. */
  pickedUp: z.object({ instance: z.string(), at: Timestamp }).nullable(),
  worker: z.object({ instance: z.string(), at: Timestamp }).nullable(),
  startedAt: Timestamp.nullable(),
  /** The last record was dealt with; objects may still wait. */
  finishedAt: Timestamp.nullable(),
  completedAt: Timestamp.nullable(),
  /** What somebody is, or was, asked to confirm; null: nobody was. */
  confirmation: z.object({ total: Count, totalIsEstimate: z.boolean(), limit: Count }).nullable().default(null),
  /** What a dry run has found; null: it is none, or not over. */
  dryRun: DryRunFound.nullable().default(null),
  /** What was still in the stores; null: nobody has looked. */
  residue: Residue.nullable().default(null),
  /** Why it does not move; null: it moves, or is over. */
  diagnosis: Verdict.nullable().default(null),
  /** The greatest time of its events. */
  updatedAt: Timestamp,
  /** The first 20, in the order they were met. */
  failures: z.array(RecordFailure),
  retained: z.array(z.string()),
  traceparent: z.string().nullable(),
  /** The last of the deleter's events up to which none is missing. */
  sequence: Count,
  /** The greatest ledger position folded into this job. */
  position: Count,
});
export type JobView = z.infer<typeof JobView>;

export const JobAnswer = z.object({ asOf: AsOf, job: JobView });
export type JobAnswer = z.infer<typeof JobAnswer>;

/** Newest first. `nextCursor` is opaque; null on the last page. */
export const JobsAnswer = z.object({ asOf: AsOf, jobs: z.array(JobView), nextCursor: z.string().nullable() });
export type JobsAnswer = z.infer<typeof JobsAnswer>;

/** Jobs of every tenant that may still delete a record, by id. `next` is what to give as `after`; null: there are no more. */
export const ActiveJobsAnswer = z.object({
  asOf: AsOf,
  jobs: z.array(z.object({ id: z.string(), tenant: z.string() })),
  next: z.string().nullable(),
});
export type ActiveJobsAnswer = z.infer<typeof ActiveJobsAnswer>;

/** Which of the jobs asked for there are, of whichever tenant. */
export const KnownJobsAnswer = z.object({ known: z.array(z.string()) });
export type KnownJobsAnswer = z.infer<typeof KnownJobsAnswer>;

/** One entry of the ledger. Long key lists in `data` stand as `{count, hash, first}`. */
export const LedgerEventView = z.object({
  position: Count,
  id: z.string(),
  type: z.string(),
  source: z.string(),
  sequence: Count.nullable(),
  time: Timestamp,
  data: z.unknown(),
});
export type LedgerEventView = z.infer<typeof LedgerEventView>;

/** By position. `next` is what to give as `after` for more; null when there was no more. */
export const EventsAnswer = z.object({ asOf: AsOf, events: z.array(LedgerEventView), next: Count.nullable() });
export type EventsAnswer = z.infer<typeof EventsAnswer>;

export const failureKinds = [
  /** A record the job gave up on. */
  'record',
  /** An object whose purge was given up. */
  'object',
  /** A record that matched after the job had finished. */
  'record-left',
  /** An object that the bucket still held after it was purged. */
  'object-left',
] as const;

/** What a job left, one thing each. `id` of a record; `key`, `batch` and `position` of an object. */
export const FailureView = z.object({
  kind: z.enum(failureKinds),
  id: WireId.nullable(),
  key: z.string().nullable(),
  batch: Count.nullable(),
  position: Count.nullable(),
  code: z.string(),
  message: z.string(),
  at: Timestamp,
});
export type FailureView = z.infer<typeof FailureView>;

/** In the order in which they were heard of. `nextCursor` is opaque; null on the last page. */
export const FailuresAnswer = z.object({
  asOf: AsOf,
  failures: z.array(FailureView),
  nextCursor: z.string().nullable(),
});
export type FailuresAnswer = z.infer<typeof FailuresAnswer>;

export const ResourcesAnswer = z.object({
  asOf: AsOf,
  resources: z.array(
    z.object({
      name: z.string(),
      /** Null: no deleter said so in the last 15 s. Empty: it has every index it needs. */
      missingIndexes: z.array(MissingIndex).nullable(),
      heardAt: Timestamp.nullable(),
    }),
  ),
});
export type ResourcesAnswer = z.infer<typeof ResourcesAnswer>;

export const ReadProblem = z.object({
  /** `not-known-then`: nothing had been heard of the job at the moment asked for. */
  code: z.enum(['not-found', 'not-known-then', 'invalid', 'unavailable']),
  message: z.string(),
});
export type ReadProblem = z.infer<typeof ReadProblem>;
