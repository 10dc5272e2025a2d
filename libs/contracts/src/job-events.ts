import { z } from 'zod';
import { Totals } from './deletion-events.js';
import { defineMessage, type MessageOf } from './envelope.js';
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

/** Why the job does not move, from now on; all null when it moves again. `previous` is the code until now. */
export const JobDiagnosisChanged = defineMessage({
  type: 'JobDiagnosisChanged',
  routingKey: 'job.diagnosis-changed',
  data: z.object({
    code: z.string().nullable(),
    severity: z.enum(['info', 'warning', 'blocking']).nullable(),
    summary: z.string().nullable(),
    previous: z.string().nullable(),
  }),
});
