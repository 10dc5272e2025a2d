import { JobStatus } from '@expunge/contracts';
import { z } from 'zod';
import type { Cursor } from '../projection/job.repository.js';

const Cursors = z.object({ listedAt: z.iso.datetime(), id: z.string().min(1) });

export function writeCursor({ listedAt, id }: Cursor): string {
  return Buffer.from(JSON.stringify({ listedAt, id })).toString('base64url');
}

const cursor = z.string().transform((text, ctx): Cursor => {
  try {
    return Cursors.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    ctx.addIssue({ code: 'custom', message: 'is no cursor of ours' });
    return z.NEVER;
  }
});

const tenant = z.string().min(1);
const limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);

export const JobQuery = z.object({ tenant });

export const JobsQuery = z.object({
  tenant,
  /** Several, separated by commas. */
  status: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(JobStatus))
    .optional(),
  resource: z.string().min(1).optional(),
  cursor: cursor.optional(),
  limit: limit(200, 50),
});

export const EventsQuery = z.object({
  tenant,
  after: z.coerce.number().int().nonnegative().default(0),
  limit: limit(1000, 200),
});
