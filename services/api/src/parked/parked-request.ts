import { allWorkQueues } from '@expunge/contracts';
import { z } from 'zod';
import { errorsOf } from '../jobs/job-request.js';
import { parseQuery } from '../jobs/list-query.js';
import { type FieldError, ProblemError } from '../problems/problem.js';

export const MAX_LISTED = 100;
export const MAX_REPLAYED = 1000;

type Parsed<T> = ({ ok: true } & T) | { ok: false; errors: FieldError[] };

export const ParkedParameters = z.strictObject({
  limit: z
    .string({ error: 'must be given once' })
    .refine((value) => /^\d{1,3}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_LISTED, {
      error: `must be an integer from 1 to ${String(MAX_LISTED)}`,
    })
    .transform(Number)
    .default(20)
    .meta({ override: { type: 'integer', minimum: 1, maximum: MAX_LISTED, default: 20 } }),
});

export function parseParkedQuery(query: unknown): Parsed<{ limit: number }> {
  const parsed = parseQuery(ParkedParameters, query);
  return parsed.ok ? { ok: true, ...parsed.query } : parsed;
}

export const ReplayBody = z.strictObject(
  {
    count: z
      .custom<number>(
        (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_REPLAYED,
        { error: `must be an integer from 1 to ${String(MAX_REPLAYED)}` },
      )
      .meta({ override: { type: 'integer', minimum: 1, maximum: MAX_REPLAYED } }),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? 'must be a JSON object' : undefined) },
);

/** How many are put back is always said: all of them is nothing anybody should mean by leaving it out. */
export function parseReplayBody(body: unknown): Parsed<{ count: number }> {
  const parsed = ReplayBody.safeParse(body ?? {});
  if (parsed.success) return { ok: true, ...parsed.data };
  return { ok: false, errors: parsed.error.issues.flatMap((issue) => errorsOf(issue, [])) };
}

/** @throws ProblemError not-found */
export function workQueueNamed(name: string): string {
  const known = allWorkQueues.find((queue) => queue.name === name);
  if (known) return known.name;
  const names = allWorkQueues.map((queue) => queue.name).join(', ');
  throw new ProblemError('not-found', `There is no such queue; there are ${names}.`);
}
