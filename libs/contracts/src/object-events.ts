import { z } from 'zod';
import { defineMessage, type MessageOf, Timestamp } from './envelope.js';
import { format, Positions } from './positions.js';

/** A batch closes at about a megabyte of ids and keys. A sum over more than it can hold would be no number any more. */
const MOST_OBJECTS = 10_000_000;

const OfBatch = z.object({
  batch: z.int().positive(),
  positions: Positions.refine((ranges) => (ranges.at(-1)?.[1] ?? 0) < MOST_OBJECTS, {
    error: `no batch has ${MOST_OBJECTS} objects`,
  }),
  instance: z.string(),
});

/** Gone, or never there: a store does not tell the two apart. */
export const ObjectsPurged = defineMessage({ type: 'ObjectsPurged', routingKey: 'objects.purged', data: OfBatch });
export type ObjectsPurged = MessageOf<typeof ObjectsPurged>;

/** The store refused for now, with this code of its own; they are asked again at `retryAt`. */
export const ObjectPurgeDelayed = defineMessage({
  type: 'ObjectPurgeDelayed',
  routingKey: 'objects.purge-delayed',
  data: OfBatch.extend({
    code: z.string(),
    message: z.string(),
    attempt: z.int().positive(),
    retryAt: Timestamp,
    /** Of the PurgeRequested. */
    round: z.int().positive().optional(),
  }),
});
export type ObjectPurgeDelayed = MessageOf<typeof ObjectPurgeDelayed>;

/** Trying again would not help; `code` is the store's own. */
export const ObjectPurgeFailed = defineMessage({
  type: 'ObjectPurgeFailed',
  routingKey: 'objects.purge-failed',
  data: OfBatch.extend({
    code: z.string(),
    message: z.string(),
    /** Of the PurgeRequested. */
    round: z.int().positive().optional(),
    /** At the i-th position. */
    objectKeys: z.array(z.string().min(1)).optional(),
  }),
});
export type ObjectPurgeFailed = MessageOf<typeof ObjectPurgeFailed>;

/**
 * The id of a purge event, or of the retry copy (`again`, a PurgeRequested), is what it says: the same positions of the
 * same batch are the same message. `detail` tells apart what may truly happen twice to the same positions, such as
 * attempts. `hash` is of the positions' `format` and the detail.
 */
export function purgeEventId(
  event: {
    job: string;
    batch: number;
    positions: Positions;
    what: 'purged' | 'failed' | 'delayed' | 'again';
    detail?: string;
  },
  hash: (text: string) => string,
): string {
  const { job, batch, positions, what, detail = '' } = event;
  return `${job}:${batch}:${what}:${hash(`${format(positions)}|${detail}`)}`;
}
