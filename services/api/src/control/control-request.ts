import {
  CancelRequested,
  ConfirmRequested,
  type ControlRequest,
  controlRequestId,
  JobOptions,
  type JobStatus,
  PauseRequested,
  RateChangeRequested,
  ResumeRequested,
  RetryRequested,
  wellFormed,
} from '@expunge/contracts';
import { v5, v7 } from 'uuid';
import { z } from 'zod';
import { errorsOf } from '../jobs/job-request.js';
import type { FieldError } from '../problems/problem.js';

/** What may be asked of a job, as addresses name it. */
export const verbs = ['pause', 'resume', 'cancel', 'retry', 'confirm', 'rate-change'] as const;
export type Verb = (typeof verbs)[number];

/**
 * The statuses in which a request can still take effect, as far as a monitor knows; the deleter decides. A request that
 * is on its way to take another state is no hindrance: what was asked for after it waits for it.
 */
const allowedIn: Record<Verb, readonly JobStatus[]> = {
  pause: ['queued', 'running'],
  resume: ['pausing', 'paused'],
  cancel: ['queued', 'awaiting_confirmation', 'running', 'pausing', 'paused', 'failed'],
  retry: ['failed', 'completed_with_residue', 'cancelled'],
  confirm: ['queued', 'awaiting_confirmation'],
  'rate-change': ['queued', 'awaiting_confirmation', 'running', 'pausing', 'paused'],
};

/** Where a request leads that has been accepted and is not answered yet: what is asked for next may rest on it. */
const leadsTo: Partial<Record<string, JobStatus>> = {
  PauseRequested: 'paused',
  ResumeRequested: 'running',
  RetryRequested: 'running',
  ConfirmRequested: 'running',
};

export function isForbidden(verb: Verb, status: string, last: { type: string; outcome: string } | null): boolean {
  const ahead = last?.outcome === 'pending' ? leadsTo[last.type] : undefined;
  return !allowedIn[verb].some((one) => one === status || one === ahead);
}

export interface ControlAsked {
  reason: string | null;
  /** Of a rate change. */
  maxRecordsPerSecond: number | null;
}
export type ParsedControlBody = { ok: true; body: ControlAsked } | { ok: false; errors: FieldError[] };

const error = (issue: { code?: string | undefined }) =>
  issue.code === 'invalid_type' ? 'must be a JSON object' : undefined;
const reason = wellFormed.max(1000).nullish();
export const ControlBody = z.strictObject({ reason }, { error }).meta({ id: 'Control' });
const aRate = JobOptions.shape.maxRecordsPerSecond.unwrap();
export const RateBody = z.strictObject(
  {
    reason,
    max_records_per_second: z
      .custom<number | null>((value) => value === null || aRate.safeParse(value).success, {
        error: 'must be a whole number from 1 to 1000000, or null for no limit',
      })
      .meta({ override: { type: ['integer', 'null'], minimum: 1, maximum: 1_000_000 } }),
  },
  { error },
);

/** The body may be left out where nothing but a reason can stand in it. */
export function parseControlBody(verb: Verb, body: unknown): ParsedControlBody {
  const parsed = verb === 'rate-change' ? RateBody.safeParse(body) : ControlBody.safeParse(body ?? {});
  if (!parsed.success) return { ok: false, errors: parsed.error.issues.flatMap((issue) => errorsOf(issue, [])) };
  return { ok: true, body: { reason: parsed.data.reason ?? null, maxRecordsPerSecond: rateIn(parsed.data) } };
}

const rateIn = (data: z.infer<typeof RateBody> | z.infer<typeof ControlBody>): number | null =>
  'max_records_per_second' in data ? data.max_records_per_second : null;

const NAMESPACE = '0b6b2f0e-3f0e-4c0a-8f43-57d1f6f2a9c1';

/** Stands for a key and the body that came with it. */
export const keyedBy = (key: string, body: ControlAsked): string => v5(JSON.stringify([key, body]), NAMESPACE);

/** The message. The same key and body make the same one, but for its time, which counts only when it takes effect. */
export function controlRequestOf(
  asked: { verb: Verb; job: string; tenant: string; requestedBy: string; body: ControlAsked; key: string | undefined },
  now: Date,
): ControlRequest {
  const { verb, job, tenant, requestedBy, body, key } = asked;
  const fields = {
    id: controlRequestId(job, verb, key === undefined ? v7() : keyedBy(key, body)),
    source: 'urn:expunge:api',
    subject: job,
    time: now.toISOString(),
    tenantid: tenant,
  };
  const { reason, maxRecordsPerSecond } = body;
  const data = { requestedBy, reason };
  switch (verb) {
    case 'pause':
      return PauseRequested.create({ ...fields, data });
    case 'resume':
      return ResumeRequested.create({ ...fields, data });
    case 'cancel':
      return CancelRequested.create({ ...fields, data });
    case 'retry':
      return RetryRequested.create({ ...fields, data });
    case 'confirm':
      return ConfirmRequested.create({ ...fields, data });
    case 'rate-change':
      return RateChangeRequested.create({ ...fields, data: { ...data, maxRecordsPerSecond } });
  }
}
