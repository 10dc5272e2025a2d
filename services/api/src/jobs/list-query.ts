import { jobStatuses } from '@expunge/contracts';
import { z } from 'zod';
import type { FieldError } from '../problems/problem.js';

export const MAX_PAGE = 200;
const MAX_FAILURES = 1000;

export interface ListQuery {
  /** Several, separated by commas. */
  status?: string | undefined;
  resource?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

const once = z.string({ error: 'must be given once' });
const known: readonly string[] = jobStatuses;

const cursor = once.regex(/^[\w.~=+/-]{1,1024}$/, 'must be the next_cursor of an earlier answer').optional();
const limitUpTo = (most: number, usual: number) =>
  once
    .refine((value) => /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= most, {
      error: `must be an integer from 1 to ${most}`,
    })
    .transform(Number)
    .default(usual);

const Query = z.strictObject({
  status: once
    .refine((value) => value.split(',').every((status) => known.includes(status)), {
      error: `must be one or more, separated by commas, of ${known.join(', ')}`,
    })
    .optional(),
  resource: once.regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be the name of a resource').optional(),
  cursor,
  limit: limitUpTo(MAX_PAGE, 50),
});

const FailuresQuery = z.strictObject({ cursor, limit: limitUpTo(MAX_FAILURES, 100) });
export type FailuresListQuery = z.infer<typeof FailuresQuery>;

type ParsedQuery<T> = { ok: true; query: T } | { ok: false; errors: FieldError[] };

export const parseListQuery = (query: unknown): ParsedQuery<ListQuery> => parse(Query, query);
export const parseFailuresQuery = (query: unknown): ParsedQuery<FailuresListQuery> => parse(FailuresQuery, query);

/** A parameter that is not known is an error: a filter misspelt would show more than was asked for. */
function parse<T>(schema: z.ZodType<T>, query: unknown): ParsedQuery<T> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return { ok: true, query: parsed.data };
  const errors = parsed.error.issues.flatMap((issue): FieldError[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ parameter: key, detail: 'is not known here' }))
      : [{ parameter: String(issue.path[0]), detail: issue.message }],
  );
  return { ok: false, errors };
}
