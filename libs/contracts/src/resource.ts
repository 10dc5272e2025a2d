import { z } from 'zod';
import { BucketName } from './bucket.js';
import { idTypes } from './record-id.js';

const FieldName = z.string().regex(/^[^.$[\]\s]+(\.[^.$[\]\s]+)*$/, 'must be a field name');

/** `previewKey`, `files[]`, `attachments[].key`, `meta.scan.key`: at most one list on the way. */
const KeyPath = z
  .string()
  .regex(
    /^[^.$[\]\s]+(\.[^.$[\]\s]+)*(\[\](\.[^.$[\]\s]+)*)?$/,
    'must be a path such as "previewKey" or "attachments[].key", with at most one []',
  );

const ResourceShape = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower case letters, digits and dashes'),
  collection: z.string().min(1),
  tenantField: FieldName,
  idType: z.enum(idTypes),
  /** Ids grow with time, so that the greatest id at the request bounds the job. */
  idsGrow: z.boolean().default(false),
  /** A date field that is written once; records with a later one than the request are not touched. */
  createdAtField: FieldName.nullable().default(null),
  objectKeyPaths: z.array(KeyPath),
  /** What every key must begin with, `{tenantId}` standing for the tenant. `null`, written out, allows any key. */
  keyPrefix: z.string().nullable(),
  /** Several records may refer to one object: it goes with the last of them. Needs an index on each key path. */
  keysShared: z.boolean(),
  /** A key may be used again after its last record is gone (docs/architecture.md names the window that leaves). */
  keysReused: z.boolean().default(false),
  filterFields: z
    .array(z.strictObject({ name: FieldName, type: z.enum(['string', 'number', 'date', 'boolean']) }))
    .default([]),
  /** In a bucket that keeps versions a delete only hides: jobs refuse it, unless that is meant. */
  versionedBucket: z.literal('accept-delete-markers').optional(),
  /** Where the objects are; null or left out: in the storage-cleaner's S3_BUCKET. */
  bucket: BucketName.nullable().optional(),
});

export const ResourceDefinition = ResourceShape.superRefine((resource, ctx) => {
  if (resource.createdAtField === null && !resource.idsGrow) {
    ctx.addIssue({
      code: 'custom',
      path: ['createdAtField'],
      message:
        'a resource needs createdAtField, or idsGrow: true: without a bound, records created after the request would go too',
    });
  }
  if (resource.keyPrefix !== null && !resource.keyPrefix.includes('{tenantId}')) {
    ctx.addIssue({ code: 'custom', path: ['keyPrefix'], message: 'must contain {tenantId}, or be null' });
  }
});
export type ResourceDefinition = z.infer<typeof ResourceDefinition>;

/** The content of RESOURCES_FILE. */
export const ResourceDefinitions = z
  .array(ResourceDefinition)
  .min(1)
  .refine((all) => new Set(all.map((r) => r.name)).size === all.length, { error: 'two resources have the same name' });

export const receipts: ResourceDefinition = {
  name: 'receipts',
  collection: 'receipts',
  tenantField: 'tenantId',
  idType: 'objectId',
  idsGrow: true,
  createdAtField: null,
  objectKeyPaths: ['attachments[].key', 'previewKey'],
  keyPrefix: 'tenants/{tenantId}/',
  keysShared: true,
  keysReused: false,
  filterFields: [
    { name: 'company', type: 'string' },
    { name: 'date', type: 'date' },
    { name: 'total', type: 'number' },
  ],
};

/** The prefix of one tenant's keys, or null where any key is allowed. A `$` in the tenant's name is a `$`. */
export function keyPrefixOf(resource: ResourceDefinition, tenant: string): string | null {
  // As a string, a tenant called `$$` would be written `$`, which is another tenant.
  return resource.keyPrefix?.replaceAll('{tenantId}', () => tenant) ?? null;
}

/** An index the deleter's reads need, as `createIndex` takes it. */
export type IndexKeys = Record<string, 1>;

/** Keyset pages need `{tenant, _id}`; asking who still refers to a key needs each key path. */
export function requiredIndexes(resource: ResourceDefinition): IndexKeys[] {
  const pages: IndexKeys = { [resource.tenantField]: 1, _id: 1 };
  const references = resource.keysShared
    ? resource.objectKeyPaths.map((path): IndexKeys => ({ [path.replace('[]', '')]: 1 }))
    : [];
  return [pages, ...references];
}
