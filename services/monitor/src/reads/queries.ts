import { JobStatus, Timestamp } from '@expunge/contracts';
import { z } from 'zod';
import type { FailureCursor } from '../failures/failures.repository.js';
import type { Cursor } from '../projection/job.repository.js';

const Cursors = z.object({ listedAt: z.iso.datetime(), id: z.string().min(1) });
const FailureCursors = z.object({ heardAt: z.int().nonnegative(), place: z.int().nonnegative() });

const encoded = (cursor: object): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');
const decoded = <T>(schema: z.ZodType<T>) =>
  z.string().transform((text, ctx): T => {
    try {
      return schema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    } catch {
      ctx.addIssue({ code: 'custom', message: 'is no cursor of ours' });
      return z.NEVER;
    }
  });

export const writeCursor = ({ listedAt, id }: Cursor): string => encoded({ listedAt, id });
export const writeFailureCursor = ({ heardAt, place }: FailureCursor): string => encoded({ heardAt, place });

const tenant = z.string().min(1);
const limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);

export const JobQuery = z.object({ tenant });
export const StateQuery = z.object({ tenant, at: Timestamp.transform((text) => new Date(text)) });

export const JobsQuery = z.object({
  tenant,
  /** Several, separated by commas. */
  status: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(JobStatus))
    .optional(),
  resource: z.string().min(1).optional(),
  cursor: decoded(Cursors).optional(),
  limit: limit(200, 50),
});

export const ActiveJobsQuery = z.object({ after: z.string().default(''), limit: limit(1000, 200) });

/** Their ids have a place in one address. */
export const KnownJobsQuery = z.object({
  ids: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.string().min(1)).max(200)),
});

export const FailuresQuery = z.object({ tenant, cursor: decoded(FailureCursors).optional(), limit: limit(1000, 100) });

export const RollCallQuery = z.object({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: limit(1000, 200),
});

export const EventsQuery = z.object({
  tenant,
  after: z.coerce.number().int().nonnegative().default(0),
  limit: limit(1000, 200),
});
