import { z } from 'zod';

/** One a resource: what its `_id`s are. A record whose `_id` is of another type is left and reported. */
export const idTypes = ['objectId', 'number', 'string', 'uuid'] as const;
export type IdType = (typeof idTypes)[number];

/** A record's id in JSON: 24 hex digits, a number (or its digits, beyond 2^53), a string, or a UUID. */
export type WireId = string | number;

/** JSON.parse rounds integers beyond 2^53: the id that arrived may not be the one that was meant. */
export const exactNumber = z.number().refine((n) => !Number.isInteger(n) || Number.isSafeInteger(n), {
  error: 'is beyond 2^53, where numbers in JSON are rounded',
});
/** Half a surrogate pair becomes U+FFFD on its way to the database, and would select another value. */
export const wellFormed = z.string().refine((s) => s.isWellFormed(), { error: 'must be well-formed Unicode' });
// A driver's Long wraps around what does not fit. Zod runs this even where the form was wrong.
const fitsInt64 = (digits: string): boolean =>
  /^-?\d+$/.test(digits) && BigInt.asIntN(64, BigInt(digits)) === BigInt(digits);

const schemas: Record<IdType, z.ZodType<WireId>> = {
  objectId: z
    .string()
    .regex(/^[0-9a-f]{24}$/i, 'must be 24 hexadecimal digits')
    .toLowerCase(),
  number: z.union(
    [
      exactNumber,
      z
        .string()
        .regex(/^(0|-?[1-9]\d{0,18})$/)
        .refine(fitsInt64),
    ],
    {
      error: 'must be a number, or the digits of an integer of at most 64 bits (digits are needed beyond 2^53)',
    },
  ),
  string: wellFormed.min(1, 'must not be empty'),
  uuid: z.guid('must be a UUID').toLowerCase(),
};

/** The ids of a resource, exactly: in the form its `_id`s have, so that one record has one id. */
export const wireId = (idType: IdType): z.ZodType<WireId> => schemas[idType];

/** An id of any resource: messages do not know the type, whoever made or takes the id does. */
export const WireId = z.union([z.string(), z.number()]);
