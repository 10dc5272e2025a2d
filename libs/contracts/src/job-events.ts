import { z } from 'zod';
import { Totals } from './deletion-events.js';
import { defineMessage, type MessageOf, Timestamp } from './envelope.js';
import { Residue } from './verification-messages.js';

/** Said by the monitor once everything is accounted for, and again whenever the ledger lacks it. */
export const JobCompleted = defineMessage({
  type: 'JobCompleted',
  routingKey: 'job.completed',
  data: z.object({
    outcome: z.enum(['completed', 'completed_with_residue']),
    totals: Totals,
    objects: z.object({ purged: z.int().nonnegative(), failed: z.int().nonnegative() }),
    /** The sequence of the DeletionFinished that this completes: a retry leads to another. */
    finished: z.int().positive().optional(),
    /** What was still there; left out: nobody looked. */
    residue: Residue.optional(),
  }),
});
export type JobCompleted = MessageOf<typeof JobCompleted>;

export const jobCompletedId = (job: string, finished: number): string => `${job}:completed:${finished}`;

/** The job is settled and was kept for its time: the deleter may remove what it has of it. */
export const JobExpired = defineMessage({
  type: 'JobExpired',
  routingKey: 'job.expired',
  data: z.object({
    /** The last of the deleter's events that the monitor has; 0: none. If there is a later one, nothing goes. */
    sequence: z.int().nonnegative(),
    /** The greatest ledger position folded into the job. */
    position: z.int().nonnegative(),
  }),
});
export type JobExpired = MessageOf<typeof JobExpired>;

export const jobExpiredId = (job: string, position: number): string => `${job}:expired:${position}`;

/** The deleter has nothing of the job any more: nobody will tell anything of it, and the monitor removes its part. */
export const JobRemoved = defineMessage({
  type: 'JobRemoved',
  routingKey: 'job.removed',
  data: z.object({
    /** `time` of the JobExpired: a job requested later under the same id is another one. */
    expiredAt: Timestamp,
  }),
});
export type JobRemoved = MessageOf<typeof JobRemoved>;

export const jobRemovedId = (job: string, expiredAt: string): string => `${job}:removed:${expiredAt}`;

/** Why the job does not move, from now on; all null when it moves again. `previous` is the code until now. */
export const JobDiagnosisChanged = defineMessage({
  type: 'JobDiagnosisChanged',
  routingKey: 'job.diagnosis-changed',
  data: z.object({
    code: z.string().nullable(),
    severity: z.enum(['info', 'warning', 'blocking']).nullable(),
    summary: z.string().nullable(),
    previous: z.string().nullable(),
    /** 1, 2, 3 … of the job: the greatest is the verdict now. */
    number: z.int().positive().optional(),
  }),
});
export type JobDiagnosisChanged = MessageOf<typeof JobDiagnosisChanged>;

export const jobDiagnosisId = (job: string, number: number): string => `${job}:diagnosis:${number}`;
