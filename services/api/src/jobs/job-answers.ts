import {
  delayCauses,
  FailureView,
  JobStatus,
  LedgerEventView,
  SelectionView,
  Severity,
  Timestamp,
  WireId,
} from '@expunge/contracts';
import { z } from 'zod';

const Count = z.int().nonnegative();

export const PresentedAsOf = z
  .object({
    position: Count.nullable().describe('The greatest position of the ledger that is folded.'),
    at: Timestamp.nullable(),
    lag_ms: z.number().nonnegative().nullable().describe('0: no event waits to be folded; null: nobody knows.'),
    monitor_heartbeat_age_ms: z.number().nonnegative().nullable(),
  })
  .meta({ id: 'AsOf', description: 'How fresh an answer is.' });
export type PresentedAsOf = z.infer<typeof PresentedAsOf>;

/** What an answer rests on: `not_checked` names what could not be asked. */
const freshness = {
  as_of: PresentedAsOf,
  not_checked: z
    .array(z.string())
    .describe(
      '`monitor`: no monitor has heard of it, or, where something is asked of it, none answers; it is shown as it was accepted.',
    ),
};
export type Freshness = z.infer<z.ZodObject<typeof freshness>>;

const [SelectAll, SelectedIds, SelectByFilter] = SelectionView.options;
const PresentedSelection = z.union([
  SelectAll,
  z.object({ id_count: SelectedIds.shape.idCount, first_ids: SelectedIds.shape.firstIds.describe('The first 20.') }),
  SelectByFilter,
]);

const Percent = z.number().min(0).max(100).nullable();

/** A job in JSON, as docs/api.md describes it. Times are RFC 3339, `rate` is records a second. */
export const PresentedJob = z
  .object({
    id: z.string(),
    tenant: z.string(),
    resource: z.string().nullable(),
    status: JobStatus,
    selection: PresentedSelection.nullable(),
    options: z
      .object({
        batch_size: z.int().positive(),
        max_records_per_second: z.int().positive().nullable(),
        verify: z.string(),
        dry_run: z.boolean(),
        based_on: z.string().nullable(),
        expected_max_records: z.int().positive().nullable(),
      })
      .nullable(),
    max_records_per_second: z.number().positive().nullable().describe('As it is now; null: as fast as it goes.'),
    reason: z.string().nullable(),
    requested_by: z.string().nullable(),
    requested_at: Timestamp.nullable(),
    started_at: Timestamp.nullable(),
    finished_at: Timestamp.nullable().describe('The last record was dealt with; objects may still wait.'),
    completed_at: Timestamp.nullable().describe('The objects are dealt with, too.'),
    progress: z.object({
      processed: Count.describe('`succeeded` + `failed_count`.'),
      succeeded: Count.describe('Planned by this job and gone.'),
      failed_count: Count,
      total: Count.nullable().describe('Null while it is not known.'),
      total_is_estimate: z.boolean(),
      percent: Percent,
      objects: z.object({ purged: Count, retained: Count, failed: Count, pending: Count }),
    }),
    rate: z
      .number()
      .nonnegative()
      .nullable()
      .describe('Records a second; null: too little is known, or something blocks the job.'),
    eta: Timestamp.nullable(),
    delayed: z
      .object({
        cause: z.enum(delayCauses),
        code: z.string(),
        message: z.string(),
        attempt: Count,
        retry_at: Timestamp,
      })
      .nullable()
      .describe('The job waits until `retry_at` to try again.'),
    last_error: z.object({ code: z.string(), message: z.string(), at: Timestamp }).nullable(),
    last_request: z
      .object({
        id: z.string(),
        type: z.string(),
        outcome: z.enum(['pending', 'applied', 'refused']),
        reason: z.string().nullable().describe('Why it was refused.'),
        at: Timestamp,
      })
      .nullable()
      .describe('What was last asked of the job.'),
    picked_up: z.object({ instance: z.string(), at: Timestamp }).nullable(),
    diagnosis: z
      .object({
        code: z.string(),
        severity: Severity.nullable(),
        since: Timestamp.nullable(),
        summary: z.string().nullable(),
      })
      .nullable()
      .describe('Why it does not move; all of it is at `links.diagnosis`. Null: it moves, or is over.'),
    confirmation: z
      .object({ total: Count, total_is_estimate: z.boolean(), limit: Count })
      .nullable()
      .describe(
        'What somebody is, or was, asked to confirm: `total` records match, or at least so many, and more than `limit` do not go unasked.',
      ),
    dry_run: z
      .object({
        total: Count,
        total_is_estimate: z.boolean(),
        sample: z
          .array(
            z.object({
              id: WireId,
              object_keys: z.array(z.string()),
              failure: z.object({ code: z.string(), message: z.string() }).nullable().describe('Why it would stay.'),
            }),
          )
          .optional()
          .describe('At most 100, the first in the order of ids; left out in lists.'),
      })
      .nullable()
      .describe('What a dry run has found; null: it is none, or not over.'),
    residue: z
      .object({
        records: z.object({ left: Count, other_id_types: Count.nullable(), is_complete: z.boolean() }),
        objects: z.object({ checked: Count, present: Count, refused: Count }),
      })
      .nullable()
      .describe('What was found when somebody looked, after the last purge; null: nobody has.'),
    failures: z
      .array(z.object({ id: WireId, code: z.string(), message: z.string() }))
      .describe('The first of the records that stay, with the reason.'),
    retained_keys: z.array(z.string()).describe('The first of the objects that another record refers to.'),
    trace_id: z
      .string()
      .nullable()
      .describe(
        'Of the request; each slice of a long job has a trace of its own, linked to it. Null: nothing was traced.',
      ),
    links: z.object({ self: z.string(), diagnosis: z.string(), trace: z.string().optional() }),
  })
  .meta({ id: 'Job' });
export type PresentedJob = z.infer<typeof PresentedJob>;

export const ShownJob = PresentedJob.extend(freshness).meta({ id: 'JobShown' });
export type ShownJob = z.infer<typeof ShownJob>;

const Listening = z.object({
  instance: z.string().nullable(),
  host: z.string().nullable(),
  version: z.string().nullable(),
});

/** Who would take a step of a deletion at this moment. */
export const Listener = z
  .object({
    queue: z.string(),
    service: z.string().nullable(),
    consumer_count: Count.nullable().describe('Null: nobody could look.'),
    consumers: z
      .array(Listening)
      .nullable()
      .optional()
      .describe('For a token that has `ops:read`; null where they are not listed, though they may be counted.'),
    missing: z.array(z.string()).describe('What keeps the step from being taken.'),
  })
  .meta({ id: 'Listener' });
export type Listener = z.infer<typeof Listener>;

export const AcceptedJob = ShownJob.extend({ listeners: z.array(Listener) }).meta({ id: 'AcceptedJob' });
export type AcceptedJob = z.infer<typeof AcceptedJob>;

const nextCursor = z.string().nullable().describe('The `cursor` of the next page; null: this is the last.');

export const PresentedJobs = z
  .object({ jobs: z.array(PresentedJob), next_cursor: nextCursor, ...freshness })
  .meta({ id: 'Jobs' });
export type PresentedJobs = z.infer<typeof PresentedJobs>;

export const PresentedFailures = z
  .object({ failures: z.array(FailureView), next_cursor: nextCursor, ...freshness })
  .meta({ id: 'Failures' });
export type PresentedFailures = z.infer<typeof PresentedFailures>;

export const PresentedEvents = z
  .object({
    events: z.array(LedgerEventView).describe('`data` is the event’s own, its names as they are.'),
    next: Count.nullable().describe('What to give as `after` for more; null: there was no more.'),
    ...freshness,
  })
  .meta({ id: 'Events' });
export type PresentedEvents = z.infer<typeof PresentedEvents>;

/** The moment the answer is of, RFC 3339 in UTC. */
export const PresentedState = ShownJob.extend({ at: Timestamp }).meta({ id: 'JobState' });
export type PresentedState = z.infer<typeof PresentedState>;
