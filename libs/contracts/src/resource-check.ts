import { z } from 'zod';
import { BucketName } from './bucket.js';
import { defineMessage, type MessageOf, Timestamp } from './envelope.js';

/** What is looked at before anything is deleted of a resource: the deleter its records, the storage-cleaner its bucket. */
export const resourceChecks = ['readable', 'deletable', 'indexes', 'keys', 'bucket', 'versioning'] as const;

export const ResourceCheck = z.object({
  check: z.enum(resourceChecks),
  /** Null: it could not be found out. */
  ok: z.boolean().nullable(),
  /** What was found, in words; of what is not ok, what helps. */
  detail: z.string(),
});
export type ResourceCheck = z.infer<typeof ResourceCheck>;

/** Deleters and storage-cleaners are asked to look at a resource. Kept by nobody. `subject` is the question. */
export const ResourceCheckRequested = defineMessage({
  type: 'ResourceCheckRequested',
  routingKey: 'resource.check-requested',
  data: z.object({
    resource: z.string().min(1),
    /** Nobody waits for an answer any more. */
    validUntil: Timestamp,
    /** Who is asked; left out: every deleter and storage-cleaner. */
    services: z.array(z.string()).optional(),
    /** The resource's own; left out: S3_BUCKET. */
    bucket: BucketName.optional(),
  }),
});
export type ResourceCheckRequested = MessageOf<typeof ResourceCheckRequested>;

/** What one instance has found. `subject` is the question. */
export const ResourceChecked = defineMessage({
  type: 'ResourceChecked',
  routingKey: 'resource.checked',
  data: z.object({
    resource: z.string(),
    service: z.string(),
    instance: z.string(),
    checks: z.array(ResourceCheck),
  }),
});
export type ResourceChecked = MessageOf<typeof ResourceChecked>;
