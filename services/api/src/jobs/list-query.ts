import { jobStatuses } from '@expunge/contracts';
import { z } from 'zod';
import type { FieldError } from '../problems/problem.js';

export const MAX_PAGE = 200;
const MAX_FAILURES = 1000;
const MAX_EVENTS = 1000;

export interface ListQuery {
  /** Several, separated by commas. */
  status?: string | undefined;
  resource?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

const once = z.string({ error: 'must be given once' });
const known: readonly string[] = jobStatuses;

const cursor = once
  .regex(/^[\w.~=+/-]{1,1024}$/, 'must be the next_cursor of an earlier answer')
  .describe('The `next_cursor` of the answer before.')
  .optional();
const limitUpTo = (most: number, usual: number) =>
  once
    .refine((value) => /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= most, {
      error: `must be an integer from 1 to ${most}`,
    })
    .transform(Number)
    .default(usual)
    .meta({ override: { type: 'integer', minimum: 1, maximum: most, default: usual } });

export const ListParameters = z.strictObject({
  status: once
    .refine((value) => value.split(',').every((status) => known.includes(status)), {
      error: `must be one or more, separated by commas, of ${known.join(', ')}`,
    })
    .describe(`One or more, separated by commas, of ${known.join(', ')}.`)
    .optional(),
  resource: once.regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be the name of a resource').optional(),
  cursor,
  limit: limitUpTo(MAX_PAGE, 50),
});

export const FailuresParameters = z.strictObject({ cursor, limit: limitUpTo(MAX_FAILURES, 100) });
export type FailuresListQuery = z.infer<typeof FailuresParameters>;

export const EventsParameters = z.strictObject({
  after: once
    .regex(/^\d{1,15}$/, 'must be a position, as events and next have it')
    .transform(Number)
    .default(0)
    .meta({
      description: 'The position behind which to begin.',
      override: { type: 'integer', minimum: 0, default: 0 },
    }),
  limit: limitUpTo(MAX_EVENTS, 200),
});
export const StreamParameters = EventsParameters.pick({ after: true });
export type EventsListQuery = z.infer<typeof EventsParameters>;

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

const dateTime = z.iso.datetime({ offset: true });

/** In UTC, with milliseconds. */
const moment = once
  .toUpperCase()
  .refine((value) => RFC_3339.test(value) && dateTime.safeParse(value).success, {
    error: 'must be a time as RFC 3339 writes it, such as 2026-11-01T03:12:00Z (a + is written %2B)',
    abort: true,
  })
  .transform((value) => new Date(value).toISOString())
  .meta({ description: 'A moment that has passed.', override: { type: 'string', format: 'date-time' } });

export interface JobQuery {
  at?: string | undefined;
}

export const JobParameters = z.strictObject({ at: moment.optional() });

type ParsedQuery<T> = { ok: true; query: T } | { ok: false; errors: FieldError[] };

export const parseListQuery = (query: unknown): ParsedQuery<ListQuery> => parseQuery(ListParameters, query);
export const parseFailuresQuery = (query: unknown): ParsedQuery<FailuresListQuery> =>
  parseQuery(FailuresParameters, query);

export const parseEventsQuery = (query: unknown): ParsedQuery<EventsListQuery> => parseQuery(EventsParameters, query);
export function parseJobQuery(query: unknown, now: Date): ParsedQuery<JobQuery> {
  const parsed = parseQuery<JobQuery>(JobParameters, query);
  if (!parsed.ok || (parsed.query.at ?? '') <= now.toISOString()) return parsed;
  return { ok: false, errors: [{ parameter: 'at', detail: 'must not be in the future' }] };
}

/** A parameter that is not known is an error: a filter misspelt would show more than was asked for. */
export function parseQuery<T>(schema: z.ZodType<T>, query: unknown): ParsedQuery<T> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return { ok: true, query: parsed.data };
  const errors = parsed.error.issues.flatMap((issue): FieldError[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ parameter: key, detail: 'is not known here' }))
      : [{ parameter: String(issue.path[0]), detail: issue.message }],
  );
  return { ok: false, errors };
}
