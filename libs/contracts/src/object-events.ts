import { z } from 'zod';
import { defineMessage, type MessageOf, Timestamp } from './envelope.js';
import { format, Positions } from './positions.js';

const OfBatch = z.object({ batch: z.int().positive(), positions: Positions, instance: z.string() });

export const ObjectsPurged = defineMessage({ type: 'ObjectsPurged', routingKey: 'objects.purged', data: OfBatch });
export type ObjectsPurged = MessageOf<typeof ObjectsPurged>;

export const ObjectPurgeDelayed = defineMessage({
  type: 'ObjectPurgeDelayed',
  routingKey: 'objects.purge-delayed',
  data: OfBatch.extend({
    code: z.string(),
    message: z.string(),
    attempt: z.int().positive(),
    retryAt: Timestamp,
  }),
});
export type ObjectPurgeDelayed = MessageOf<typeof ObjectPurgeDelayed>;

/** Trying again would not help; `code` is the store's own. */
export const ObjectPurgeFailed = defineMessage({
  type: 'ObjectPurgeFailed',
  routingKey: 'objects.purge-failed',
  data: OfBatch.extend({ code: z.string(), message: z.string() }),
});
export type ObjectPurgeFailed = MessageOf<typeof ObjectPurgeFailed>;

/** A purge event is what it says: the same positions of the same batch are the same event. `hash` is of `format(positions)`. */
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
