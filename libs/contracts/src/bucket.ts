import { z } from 'zod';
import { defineMessage, type MessageDefinition } from './envelope.js';

/** As S3 has it. */
export const BucketName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'must be the name of a bucket: 3 to 63 lower case letters, digits, dots and dashes, a letter or digit first and last',
  );

/** Where object keys are. Left out: in the storage-cleaner's S3_BUCKET. */
export interface InBucket {
  bucket?: string;
}

/** The member that names the bucket, or none. */
export const inBucket = (bucket: string | null | undefined): InBucket =>
  bucket === null || bucket === undefined ? {} : { bucket };

/**
 * Both versions of a message that carries object keys. The second names a bucket: whoever reads the first alone would
 * take the same keys of S3_BUCKET, so it is to park what it does not know. `create` of the first gives the second by
 * itself where the data name a bucket.
 */
export function defineKeyMessage<Type extends string, Data>(definition: {
  type: Type;
  routingKey: string;
  data: z.ZodType<Data>;
  dataInBucket: z.ZodType<Data>;
  namesBucket: (data: Data) => boolean;
}): [MessageDefinition<Type, Data>, MessageDefinition<Type, Data>] {
  const { type, routingKey, data, dataInBucket, namesBucket } = definition;
  const first = defineMessage<Type, Data>({ type, routingKey, data });
  const second = defineMessage<Type, Data>({ type, version: 2, routingKey, data: dataInBucket });
  return [{ ...first, create: (fields) => (namesBucket(fields.data) ? second : first).create(fields) }, second];
}
