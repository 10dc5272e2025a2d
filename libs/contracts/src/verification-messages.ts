import { z } from 'zod';
import { BucketName, defineKeyMessage, type InBucket } from './bucket.js';
import { defineMessage, type MessageOf } from './envelope.js';
import { Positions } from './positions.js';
import { WireId } from './record-id.js';

const Count = z.int().nonnegative();
/** Of the DeletionFinished whose leftovers are looked for: what is said of an earlier one no longer counts. */
const finished = z.int().positive();

/** Every object of the job is purged, kept or given up: what is still there is to be looked for, in both stores. */
export const VerificationRequested = defineMessage({
  type: 'VerificationRequested',
  routingKey: 'delete.verification-requested',
  data: z.object({
    finished,
    /** Chunks of keys that the storage-cleaner has not answered; left out: all. */
    chunks: Positions.optional(),
  }),
});
export type VerificationRequested = MessageOf<typeof VerificationRequested>;

/** How the records' side of the look ended, and in how many chunks the storage-cleaner is asked for keys. */
export const RecordsVerified = defineMessage({
  type: 'RecordsVerified',
  routingKey: 'deletion.records-verified',
  data: z.object({
    finished,
    /** Records that match selection and bound and are no failure of the job. */
    left: Count,
    /** The first of them, at most 100. */
    firstLeft: z.array(WireId).max(100),
    /** Records of the tenant whose `_id` is of another type than declared, which no job can delete; null: not counted. */
    otherTypes: Count.nullable(),
    /** False: there were too many to look at within the time; `left` is at least so many. */
    isComplete: z.boolean(),
    /** ObjectCheckRequested 1 to n. */
    chunks: Count,
    instance: z.string(),
  }),
});
export type RecordsVerified = MessageOf<typeof RecordsVerified>;

const KeysOfBatch = z.object({
  batch: z.int().positive(),
  positions: Positions,
  /** At the i-th position. */
  objectKeys: z.array(z.string().min(1)),
});
export type KeysOfBatch = z.infer<typeof KeysOfBatch>;

const ObjectCheck = z.object({ finished, chunk: z.int().positive(), batches: z.array(KeysOfBatch) });
type ObjectCheck = Omit<z.infer<typeof ObjectCheck>, 'batches'> & { batches: (KeysOfBatch & InBucket)[] };

/** The storage-cleaner is asked whether purged keys are gone. Batches of one job may be of several buckets. */
export const [ObjectCheckRequested, ObjectCheckRequestedInBucket] = defineKeyMessage<
  'ObjectCheckRequested',
  ObjectCheck
>({
  type: 'ObjectCheckRequested',
  routingKey: 'check.requested',
  data: ObjectCheck,
  dataInBucket: ObjectCheck.extend({ batches: z.array(KeysOfBatch.extend({ bucket: BucketName.optional() })) }),
  namesBucket: ({ batches }) => batches.some(({ bucket }) => bucket !== undefined),
});
export type ObjectCheckRequested = MessageOf<typeof ObjectCheckRequested>;

export const ObjectsChecked = defineMessage({
  type: 'ObjectsChecked',
  routingKey: 'objects.checked',
  data: z.object({
    finished,
    chunk: z.int().positive(),
    /** Keys that the bucket was asked for. */
    checked: Count,
    /** Those that it still holds. */
    present: z.array(KeysOfBatch),
    /** Those of which it would not say. */
    refused: z.array(z.object({ batch: z.int().positive(), positions: Positions })),
    /** Its first word on one of them. */
    refusal: z.object({ code: z.string(), message: z.string() }).nullable(),
    instance: z.string(),
  }),
});
export type ObjectsChecked = MessageOf<typeof ObjectsChecked>;

/** What a job left, by what the stores hold. */
export const Residue = z.object({
  records: z.object({ left: Count, otherTypes: Count.nullable(), isComplete: z.boolean() }),
  objects: z.object({ checked: Count, present: Count, refused: Count }),
});
export type Residue = z.infer<typeof Residue>;

export const verificationRequestedId = (job: string, finished: number, time: string): string =>
  `${job}:verification:${finished}:${time}`;
export const objectCheckId = (job: string, finished: number, chunk: number): string =>
  `${job}:check:${finished}:${chunk}`;
/** `hash` is of what was found: the bucket may answer otherwise when it is asked again. */
export const objectsCheckedId = (job: string, finished: number, chunk: number, hash: string): string =>
  `${job}:checked:${finished}:${chunk}:${hash}`;
