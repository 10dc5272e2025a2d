import { z } from 'zod';
import { ErrorInfo } from './deletion-events.js';
import { defineMessage, type MessageOf, Timestamp } from './envelope.js';
import { Positions } from './positions.js';

/** The deleter is asked to publish events of one job again, from its event store. */
export const EventsWanted = defineMessage({
  type: 'EventsWanted',
  routingKey: 'events.wanted',
  data: z.object({
    sequences: Positions.optional(),
    /** Everything after this sequence. */
    after: z.int().nonnegative().optional(),
    batches: Positions.optional(),
    /** Not to be answered later: it will have been asked again, or it is no longer missing. */
    validUntil: Timestamp.optional(),
  }),
});
export type EventsWanted = MessageOf<typeof EventsWanted>;

export const MissingIndex = z.object({
  resource: z.string(),
  keys: z.record(z.string(), z.literal(1)),
  /** What a person runs in mongosh. */
  command: z.string(),
});
export type MissingIndex = z.infer<typeof MissingIndex>;

/** What one readiness check says. `status` is the HTTP status, where the store answered with one. */
export const Problem = ErrorInfo.extend({ status: z.int().optional() });
export type Problem = z.infer<typeof Problem>;

/**
 * Every 5 s, and when `problems` change, kept by nobody: a frozen process is known by the age of its last one. The last
 * one of all, its last words, has `state` `exiting`. `subject` is the instance.
 */
export const WorkerHeartbeat = defineMessage({
  type: 'WorkerHeartbeat',
  routingKey: 'worker.heartbeat',
  data: z.object({
    service: z.string(),
    instance: z.string(),
    host: z.string(),
    pid: z.int().positive(),
    version: z.string(),
    startedAt: Timestamp,
    state: z.enum(['starting', 'running', 'draining', 'exiting']),
    ready: z.boolean(),
    consumes: z.array(z.string()),
    doing: z.object({ what: z.string(), job: z.string().nullable(), since: Timestamp }).nullable(),
    lastError: ErrorInfo.extend({ at: Timestamp }).nullable(),
    /** Deleter only: the last sequence of each job it knows to be recent. */
    sequences: z.record(z.string(), z.int().positive()),
    /** Deleter only: null until the records' database could be asked. */
    missingIndexes: z.array(MissingIndex).nullable(),
    /** The readiness checks that fail now, by name; empty: each succeeds; left out: none was made yet. */
    problems: z.record(z.string(), Problem).optional(),
    /** Handlers under way, by queue. As many as the queue's prefetch, or more: the consumer is full. */
    inHand: z.record(z.string(), z.int().nonnegative()).optional(),
    /** For how long, in ms, no delivery of a queue has come or been done with, by queue; of none that never had one. */
    untouchedMs: z.record(z.string(), z.int().nonnegative()).optional(),
    /** Last words only. `fatal`: `lastError` is why, also if it never started. `stopped`: it was told to, and drained. */
    exit: z.object({ code: z.int(), reason: z.enum(['stopped', 'fatal']) }).optional(),
    /** Of this process, in the order in which it said them; a fatal end's last words have none. */
    number: z.int().positive().optional(),
    /** Deleter only: MAX_RECORDS_PER_SECOND, and, where it is used up, how long ago a job last waited; left out: not set. */
    sharedLimit: z
      .object({ maxRecordsPerSecond: z.int().positive(), heldUpMs: z.int().nonnegative().optional() })
      .optional(),
  }),
});
export type WorkerHeartbeat = MessageOf<typeof WorkerHeartbeat>;

/** A job's document was written: whoever streams it reads again. Kept by nobody. */
export const ProjectionChanged = defineMessage({
  type: 'ProjectionChanged',
  routingKey: 'projection.changed',
  data: z.object({ position: z.int().nonnegative(), status: z.string() }),
});

/**
 * A monitor sends it to its own queue when it sees nobody fold: whoever gets it is the single active consumer. That one
 * sends it to itself, to measure how long what stands in the queue waits.
 * Published to its queue directly; `subject` is the sending instance.
 */
export const FoldProbe = defineMessage({
  type: 'FoldProbe',
  routingKey: null,
  data: z.object({ instance: z.string() }),
});
export type FoldProbe = MessageOf<typeof FoldProbe>;

/** One message's worth of work on a job. Live while `turn` is that of the job's lane. Published to its queue directly. */
export const SliceDue = defineMessage({
  type: 'SliceDue',
  routingKey: null,
  data: z.object({
    lane: z.int().nonnegative(),
    turn: z.int().positive(),
    /** The job's last write when the message found somebody at it: if there is none since, that worker is gone. */
    seen: Timestamp.optional(),
  }),
});
export type SliceDue = MessageOf<typeof SliceDue>;

export const sliceId = (job: string, lane: number, turn: number): string => `${job}:slice:${lane}:${turn}`;
