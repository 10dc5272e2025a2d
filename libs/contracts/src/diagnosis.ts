import { z } from 'zod';
import { Timestamp } from './envelope.js';

/** Why a job does not move, in the order in which links are looked at: the first broken one is the verdict. */
export const diagnosisCodes = [
  /** Nobody answers for the state of jobs, or who does has not heard anything of late. */
  'MONITOR:STALE',
  /** An event of the job cannot be folded. */
  'MONITOR:PROJECTION_FAILED',
  /** Events of the job are missing between others. */
  'MONITOR:LEDGER_GAP',
  'USER:PAUSED',
  'USER:AWAITING_CONFIRMATION',
  /** The job runs at the limit it was given. */
  'THROTTLE:RATE',
  /** An attempt failed for another reason than a store; the next one has its time. */
  'THROTTLE:BACKOFF',
  /** More objects wait than may. */
  'THROTTLE:PURGE_BACKLOG',
  'ROUTING:NO_EXCHANGE',
  'ROUTING:NO_BINDING',
  'ROUTING:QUEUE_MISSING',
  /** Memory or disk of the broker is short: it takes no publishes. */
  'BROKER:RESOURCE_ALARM',
  'BROKER:UNREACHABLE',
  'BROKER:NO_PERMISSION',
  /** One message is delivered again and again and never acknowledged. */
  'DELIVERY:LOOP',
  /** A message of the job was given up on. */
  'DELIVERY:PARKED',
  /** A service ends with an error as it starts, or soon after. */
  'WORKER:START_FAILED',
  /** The worker that had the job, or all that could take it, fell silent without a last word. */
  'WORKER:NO_HEARTBEAT',
  /** A worker lives and is connected, but no longer consumes its queue. */
  'CONSUMER:CANCELLED',
  'CONSUMER:NONE',
  /** Somebody who is none of ours takes messages from the queue. */
  'CONSUMER:UNEXPECTED',
  'STORE:MONGO_UNAVAILABLE',
  'STORE:OBJECTS_UNAVAILABLE',
  'STORE:OBJECTS_DENIED',
  'STORE:OBJECTS_THROTTLED',
  /** All consumers have their hands full, with other jobs, and settle nothing. */
  'CONSUMER:SATURATED',
  /** A worker says that it has been at one thing of this job for too long. */
  'WORKER:NO_PROGRESS',
  /** Nothing that could be looked at is wrong. */
  'UNKNOWN:INSUFFICIENT_EVIDENCE',
] as const;
export const DiagnosisCode = z.enum(diagnosisCodes);
export type DiagnosisCode = z.infer<typeof DiagnosisCode>;

/** `info`: as intended. `warning`: part of the job waits, or waits with an end. `blocking`: nothing moves until it is mended. */
export const severities = ['info', 'warning', 'blocking'] as const;
export const Severity = z.enum(severities);
export type Severity = z.infer<typeof Severity>;

/** One thing that was looked at. `source` is who told: `broker`, `heartbeat`, `ledger`, `monitor`, `api`. */
export const Evidence = z.object({
  source: z.string(),
  check: z.string(),
  observed: z.string(),
  expected: z.string(),
  at: Timestamp,
});
export type Evidence = z.infer<typeof Evidence>;

export const NotChecked = z.object({ what: z.string(), why: z.string() });
export type NotChecked = z.infer<typeof NotChecked>;

/** A broken link beside the first. */
export const Finding = z.object({
  code: DiagnosisCode,
  severity: Severity,
  summary: z.string(),
  evidence: z.array(Evidence),
});
export type Finding = z.infer<typeof Finding>;

/** `code` null: the job moves, or has nothing more to do. Every sentence follows from the evidence. */
export const Diagnosis = z.object({
  code: DiagnosisCode.nullable(),
  severity: Severity.nullable(),
  /** Since when this code has been the verdict. */
  since: Timestamp.nullable(),
  summary: z.string().nullable(),
  evidence: z.array(Evidence),
  nextActions: z.array(z.string()),
  contributing: z.array(Finding),
  notChecked: z.array(NotChecked),
});
export type Diagnosis = z.infer<typeof Diagnosis>;

/** The verdict alone, as it stands in the job. */
export const Verdict = Diagnosis.pick({ code: true, severity: true, since: true, summary: true });
export type Verdict = z.infer<typeof Verdict>;
