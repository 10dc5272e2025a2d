import { jobStatuses } from '@expunge/contracts';
import { z } from 'zod';
import type { FieldError } from '../problems/problem.js';

export const MAX_PAGE = 200;

export interface ListQuery {
  /** Several, separated by commas. */
  status?: string | undefined;
  resource?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

const once = z.string({ error: 'must be given once' });
const known: readonly string[] = jobStatuses;

const Query = z.strictObject({
  status: once
    .refine((value) => value.split(',').every((status) => known.includes(status)), {
      error: `must be one or more, separated by commas, of ${known.join(', ')}`,
    })
    .optional(),
  resource: once.regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be the name of a resource').optional(),
  cursor: once.regex(/^[\w.~=+/-]{1,1024}$/, 'must be the next_cursor of an earlier answer').optional(),
  limit: once
    .refine((value) => /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_PAGE, {
      error: `must be an integer from 1 to ${MAX_PAGE}`,
    })
    .transform(Number)
    .default(50),
});

/** A parameter that is not known is an error: a filter misspelt would show more than was asked for. */
export function parseListQuery(query: unknown): { ok: true; query: ListQuery } | { ok: false; errors: FieldError[] } {
  const parsed = Query.safeParse(query);
  if (parsed.success) return { ok: true, query: parsed.data };
  const errors = parsed.error.issues.flatMap((issue): FieldError[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ parameter: key, detail: 'is not known here' }))
      : [{ parameter: String(issue.path[0]), detail: issue.message }],
  );
  return { ok: false, errors };
}
