import { z } from 'zod';

/** One a resource: what its `_id`s are. A record whose `_id` is of another type is left and reported. */
export const idTypes = ['objectId', 'number', 'string', 'uuid'] as const;
export type IdType = (typeof idTypes)[number];

/** A record's id in JSON: 24 hex digits, a number (or its digits, beyond 2^53), a string, or a UUID. */
export type WireId = string | number;

const schemas: Record<IdType, z.ZodType<WireId>> = {
  objectId: z
    .string()
    .regex(/^[0-9a-f]{24}$/i, 'must be 24 hexadecimal digits')
    .toLowerCase(),
  number: z.union([z.number(), z.string().regex(/^-?\d{1,19}$/)], {
    error: 'must be a number, or the digits of an integer',
  }),
  string: z.string().min(1, 'must not be empty'),
  uuid: z.guid('must be a UUID').toLowerCase(),
};

export const wireId = (idType: IdType): z.ZodType<WireId> => schemas[idType];

export const WireId = z.union([z.string().min(1), z.number()]);
