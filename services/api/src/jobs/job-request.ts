import { JobOptions, type ResourceDefinition, Selection, selectionFor, wellFormed } from '@expunge/contracts';
import { z } from 'zod';
import { type FieldError, pointer } from '../problems/problem.js';

/** What a client asked for, in the contracts' terms. */
export interface JobRequest {
  resource: string;
  selection: Selection;
  options: JobOptions;
  reason: string | null;
}

export type ParsedJobRequest = { ok: true; request: JobRequest } | { ok: false; errors: FieldError[] };

const required = (issue: { input?: unknown; expected?: unknown }) =>
  issue.input === undefined ? 'is required' : undefined;

const { batchSize, maxRecordsPerSecond, verify, dryRun, basedOn, expectedMaxRecords } = JobOptions.shape;

/** What a batch costs by itself is next to nothing of so many records; at a slow server batches shrink by themselves. */
const DEFAULT_BATCH_SIZE = 2000;

const Options = z
  .strictObject({
    batch_size: batchSize.unwrap().default(DEFAULT_BATCH_SIZE),
    max_records_per_second: maxRecordsPerSecond,
    verify,
    dry_run: dryRun.describe('Nothing is deleted: what would go is counted, and some of it shown.'),
    based_on: basedOn.describe('A dry run that has finished: records that were created after it are not touched.'),
    expected_max_records: expectedMaxRecords.describe('The job fails, MORE_THAN_PLANNED, before more records go.'),
  })
  .superRefine(({ dry_run: isDry, ...others }, context) => {
    if (!isDry) return;
    for (const name of ['based_on', 'expected_max_records'] as const) {
      if (others[name] === undefined) continue;
      context.addIssue({ code: 'custom', path: [name], message: 'has no meaning for a dry run' });
    }
  });

export const JobBody = z.strictObject(
  {
    resource: z.string({ error: required }),
    // What a resource allows is checked once it is known which.
    selection: z
      .unknown()
      .refine((value) => value !== undefined, { error: 'is required' })
      .meta({ override: z.toJSONSchema(Selection) as object }),
    options: Options.optional(),
    reason: wellFormed.max(1000).nullish(),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? 'must be a JSON object' : undefined) },
);

/**
 * The request a body stands for, or everything that is wrong with it.
 * A member that is not known is an error, never left out: what was meant by it would not happen.
 */
export function parseJobRequest(body: unknown, resources: ReadonlyMap<string, ResourceDefinition>): ParsedJobRequest {
  const parsed = JobBody.safeParse(body);
  const errors = parsed.success ? [] : parsed.error.issues.flatMap((issue) => errorsOf(issue, []));
  const { resource: name, selection } = (isObject(body) ? body : {}) as { resource?: unknown; selection?: unknown };
  const resource = typeof name === 'string' ? resources.get(name) : undefined;
  if (typeof name === 'string' && !resource) {
    errors.push({ pointer: '/resource', detail: `must be one of ${[...resources.keys()].join(', ')}` });
  }
  const checked = resource && selection !== undefined ? selectionFor(resource).safeParse(selection) : undefined;
  if (checked?.success === false) {
    errors.push(...checked.error.issues.flatMap((issue) => errorsOf(issue, ['selection'])));
  }
  if (checked?.success) errors.push(...repetitions(checked.data));
  if (!parsed.success || !checked?.success || errors.length > 0) return { ok: false, errors };
  const { options } = parsed.data;
  const rate = options?.max_records_per_second;
  const expected = options?.expected_max_records;
  return {
    ok: true,
    request: {
      resource: parsed.data.resource,
      selection: checked.data,
      options: {
        batchSize: options?.batch_size ?? DEFAULT_BATCH_SIZE,
        ...(rate !== undefined && { maxRecordsPerSecond: rate }),
        ...(options?.verify && { verify: options.verify }),
        ...(options?.dry_run && { dryRun: true }),
        ...(options?.based_on && { basedOn: options.based_on }),
        ...(expected !== undefined && { expectedMaxRecords: expected }),
      },
      reason: parsed.data.reason ?? null,
    },
  };
}

export function errorsOf(issue: z.core.$ZodIssue, under: string[]): FieldError[] {
  const path = [...under, ...issue.path];
  if (issue.code !== 'unrecognized_keys') return [{ pointer: pointer(path), detail: issue.message }];
  return issue.keys.map((key) => ({ pointer: pointer([...path, key]), detail: 'is not known here' }));
}

/** An id or value that is named twice is a list gone wrong: somebody meant another one. */
function repetitions(selection: Selection): FieldError[] {
  if ('ids' in selection) return repeated(selection.ids, ['selection', 'ids']);
  if (!('filter' in selection)) return [];
  return Object.entries(selection.filter).flatMap(([field, condition]) =>
    isObject(condition) && condition.in ? repeated(condition.in, ['selection', 'filter', field, 'in']) : [],
  );
}

function repeated(values: readonly unknown[], path: string[]): FieldError[] {
  const first = new Map<string, number>();
  return values.flatMap((value, i) => {
    const seen = first.get(String(value));
    if (seen === undefined) first.set(String(value), i);
    return seen === undefined ? [] : [{ pointer: pointer([...path, i]), detail: `repeats the value at ${seen}` }];
  });
}

function isObject<T>(value: T): value is T & object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
