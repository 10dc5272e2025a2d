import { z } from 'zod';
import { exactNumber, wellFormed, wireId, WireId } from './record-id.js';
import type { ResourceDefinition } from './resource.js';

/** Most ids one request may name. */
export const MAX_IDS = 10_000;

const Scalar = z.union([z.string(), z.number(), z.boolean()]);
export type Scalar = z.infer<typeof Scalar>;

/** JSON may name a member `__proto__`; where the schema library takes any name, it leaves that one out without a word. */
function withoutProto<T extends z.ZodType>(schema: T) {
  const checked = z.unknown().superRefine((raw, ctx) => {
    if (typeof raw !== 'object' || raw === null || !Object.hasOwn(raw, '__proto__')) return;
    ctx.addIssue({ code: 'custom', path: ['__proto__'], message: 'is no field that can be selected by' });
  });
  return checked.pipe(schema);
}

const isNotEmpty = (members: object): boolean => Object.keys(members).length > 0;

export const Condition = z.union([
  Scalar,
  z
    .strictObject({
      eq: Scalar.optional(),
      in: z.array(Scalar).min(1).max(1000).optional(),
      gt: Scalar.optional(),
      gte: Scalar.optional(),
      lt: Scalar.optional(),
      lte: Scalar.optional(),
    })
    .refine(isNotEmpty),
]);
export type Condition = z.infer<typeof Condition>;

/**
 * Which of the tenant's records go. There is no empty selection: everything must be asked for by `all: true`.
 * Here only the form; `selectionFor` also knows the resource's fields and types.
 */
export const Selection = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ ids: z.array(WireId).min(1).max(MAX_IDS) }),
  z.strictObject({ filter: withoutProto(z.record(z.string(), Condition).refine(isNotEmpty)) }),
]);
export type Selection = z.infer<typeof Selection>;

const scalars = {
  string: wellFormed,
  number: exactNumber,
  boolean: z.boolean(),
  date: z.union([z.iso.datetime({ offset: true }), z.iso.date()], { error: 'must be an RFC 3339 date or date-time' }),
} as const;

function conditionFor(type: keyof typeof scalars): z.ZodType<Condition> {
  const value = scalars[type];
  const comparison = z
    .strictObject({
      eq: value.optional(),
      in: z.array(value).min(1).max(1000).optional(),
      gt: value.optional(),
      gte: value.optional(),
      lt: value.optional(),
      lte: value.optional(),
    })
    .refine(isNotEmpty, { error: 'needs at least one of eq, in, gt, gte, lt, lte' });
  // One branch by the value's form, so that an error names what is wrong instead of "invalid union".
  return z.unknown().transform((raw, ctx) => {
    const branch = typeof raw === 'object' && raw !== null ? comparison : value;
    const parsed = branch.safeParse(raw);
    if (parsed.success) return parsed.data;
    passOn(parsed.error.issues, ctx, 'is no comparison: use eq, in, gt, gte, lt, lte');
    return z.NEVER;
  });
}

/** Names each unknown member by its own path. What is empty only for lack of a known member is not also told so. */
function passOn(issues: readonly z.core.$ZodIssue[], ctx: z.core.$RefinementCtx, unknownMember: string): void {
  const unknown = issues.filter((issue) => issue.code === 'unrecognized_keys');
  for (const { path, keys } of unknown) {
    for (const key of keys) ctx.addIssue({ code: 'custom', path: [...path, key], message: unknownMember });
  }
  for (const issue of issues) {
    const told = unknown.some((other) => other === issue || other.path.join('\0') === issue.path.join('\0'));
    if (!told) ctx.addIssue({ code: 'custom', path: issue.path, message: issue.message });
  }
}

/** The selection as it may be asked of one resource: known fields, right types, ids of the right form. */
export function selectionFor(resource: ResourceDefinition): z.ZodType<Selection> {
  const fields = Object.fromEntries(resource.filterFields.map((f) => [f.name, conditionFor(f.type).optional()]));
  const branches = {
    all: z.strictObject({ all: z.literal(true) }),
    ids: z.strictObject({ ids: z.array(wireId(resource.idType)).min(1).max(MAX_IDS) }),
    filter: z.strictObject({
      filter: z.strictObject(fields).refine((f) => Object.values(f).some((c) => c !== undefined), {
        error: 'is empty: name a field, or say {"all": true}',
      }),
    }),
  };
  const selection = z
    .looseObject({}, { error: 'must be one of {"all": true}, {"ids": […]}, {"filter": {…}}' })
    .transform((raw, ctx) => {
      const named = (['all', 'ids', 'filter'] as const).filter((name) => name in raw);
      const [only] = named;
      if (named.length !== 1 || !only) {
        ctx.addIssue({ code: 'custom', message: 'must have exactly one of all, ids, filter' });
        return z.NEVER;
      }
      const parsed = branches[only].safeParse(raw);
      if (parsed.success) return parsed.data;
      passOn(parsed.error.issues, ctx, 'is no field that can be selected by');
      return z.NEVER;
    });
  return withoutProto(selection) as unknown as z.ZodType<Selection>;
}
