import { z } from 'zod';
import { Diagnosis, NotChecked } from './diagnosis.js';
import { Timestamp } from './envelope.js';
import { AsOf, LedgerEventView } from './monitor-reads.js';

/**
 * What a monitor answers the api of broker and workers, as `monitor-reads.ts` does of jobs.
 *
 * | request                                   | answer               |
 * |-------------------------------------------|----------------------|
 * | `GET /internal/jobs/:id/diagnosis?tenant=` | `DiagnosisAnswer`    |
 * | `GET /internal/workers`                   | `WorkersAnswer`      |
 * | `GET /internal/workers/events?after=&limit=` | `RollCallAnswer`  |
 * | `GET /internal/health`                    | `HealthAnswer`       |
 */

export const BindingView = z.object({
  exchange: z.string(),
  bindingKey: z.string(),
  declared: z.boolean(),
  /** Null: could not be looked at. */
  present: z.boolean().nullable(),
  /** The exchange between, of a binding that reaches the queue by another exchange. */
  through: z.string().nullable(),
});

export const ConsumerView = z.object({
  consumerTag: z.string(),
  /** Null: neither tag nor connection says; it is none of ours. */
  service: z.string().nullable(),
  instance: z.string().nullable(),
  host: z.string().nullable(),
  version: z.string().nullable(),
  prefetch: z.number().nullable(),
  /** Null: the connection is not known yet. */
  since: Timestamp.nullable(),
  /** Belongs to the service that owns the queue. */
  expected: z.boolean(),
});

export type ConsumerView = z.infer<typeof ConsumerView>;

export const QueueView = z.object({
  name: z.string(),
  /** The owner by declaration; null: none. */
  service: z.string().nullable(),
  declared: z.boolean(),
  /** Null: could not be looked at. */
  present: z.boolean().nullable(),
  ready: z.number().nullable(),
  unacknowledged: z.number().nullable(),
  parked: z.number().nullable(),
  bindings: z.array(BindingView),
  /** Null: they could not be listed; `consumerCount` may still be known. */
  consumers: z.array(ConsumerView).nullable(),
  consumerCount: z.number().nullable(),
  /** In words. */
  missing: z.array(z.string()),
  unexpected: z.array(z.string()),
});
export type QueueView = z.infer<typeof QueueView>;

export const WorkerView = z.object({
  service: z.string(),
  instance: z.string(),
  host: z.string(),
  version: z.string(),
  state: z.string(),
  ready: z.boolean(),
  heartbeatAgeMs: z.number().nonnegative(),
  startedAt: Timestamp,
  doing: z.object({ what: z.string(), job: z.string().nullable(), since: Timestamp }).nullable(),
  problems: z.record(z.string(), z.string()),
});
export type WorkerView = z.infer<typeof WorkerView>;

export const WorkersAnswer = z.object({
  asOf: AsOf,
  /** When the broker was looked at. */
  at: Timestamp,
  configuredQueues: z.array(z.string()),
  allKnownQueues: z.array(z.string()),
  /** Each configured queue is bound as declared and consumed by its owner; null: nobody can tell. */
  listensToMaintenance: z.boolean().nullable(),
  queues: z.array(QueueView),
  workers: z.array(WorkerView),
  notChecked: z.array(NotChecked),
});
export type WorkersAnswer = z.infer<typeof WorkersAnswer>;

export const RollCallAnswer = z.object({
  asOf: AsOf,
  events: z.array(LedgerEventView),
  next: z.int().nonnegative().nullable(),
});
export type RollCallAnswer = z.infer<typeof RollCallAnswer>;

export const DiagnosisAnswer = z.object({ asOf: AsOf, diagnosis: Diagnosis });
export type DiagnosisAnswer = z.infer<typeof DiagnosisAnswer>;

export const healthStates = ['ok', 'degraded', 'down', 'unknown'] as const;
export const HealthState = z.enum(healthStates);
export type HealthState = z.infer<typeof HealthState>;

const Part = z.object({ status: HealthState, detail: z.string().nullable() });

export const HealthAnswer = z.object({
  asOf: AsOf,
  status: HealthState,
  /** Each names what is wrong, and with what. */
  reasons: z.array(z.string()),
  queues: z.array(
    z.object({
      name: z.string(),
      /** Ready. */
      queued: z.number().nullable(),
      /** Delivered, not acknowledged. */
      started: z.number().nullable(),
      /** Acknowledged since the broker began to count. */
      finished: z.number().nullable(),
      /** In the retry tiers: an attempt failed. */
      failed: z.number().nullable(),
      parked: z.number().nullable(),
    }),
  ),
  /** What asks again for what is missing. */
  scheduler: Part,
  workerConfig: Part,
  stores: z.record(z.string(), Part),
  fold: Part,
  notChecked: z.array(NotChecked),
});
export type HealthAnswer = z.infer<typeof HealthAnswer>;
