import {
  BindingView,
  ConsumerView,
  Diagnosis,
  HealthAnswer,
  LedgerEventView,
  NotChecked,
  QueueView,
  Timestamp,
  WorkerView,
} from '@expunge/contracts';
import { z } from 'zod';
import { PresentedAsOf } from '../jobs/job-answers.js';

/** The design's shapes, in snake_case. Null: could not be looked at; `not_checked` says why. */
const looked = {
  not_checked: z.array(NotChecked).describe('What could not be looked at, and why.'),
  as_of: PresentedAsOf.nullable().describe('Null: no monitor answers; this is what the api can find out itself.'),
};

const { code, severity, since, summary, evidence, contributing, nextActions } = Diagnosis.shape;

export const PresentedDiagnosis = z
  .object({
    code: code.describe('The first broken link on the way of the job; null: none, it moves.'),
    severity,
    since,
    summary,
    evidence: evidence.describe('What was looked at; each word of the summary follows from it.'),
    next_actions: nextActions.describe('What helps.'),
    contributing: contributing.describe('What else is broken.'),
    ...looked,
  })
  .meta({ id: 'Diagnosis' });
export type PresentedDiagnosis = z.infer<typeof PresentedDiagnosis>;

const { exchange, declared, present, through } = BindingView.shape;
const Binding = z.object({ exchange, routing_key: BindingView.shape.bindingKey, declared, present, through });

const { service, instance, host, version, prefetch, since: consumesSince, expected } = ConsumerView.shape;
const Consumer = z.object({
  tag: ConsumerView.shape.consumerTag,
  service,
  instance,
  host,
  version,
  prefetch,
  since: consumesSince,
  expected,
});

const { bindings: _bindings, consumers: _consumers, consumerCount, missing, unexpected, ...queue } = QueueView.shape;
const Queue = z
  .object({
    ...queue,
    bindings: z.array(Binding),
    consumer_count: consumerCount,
    consumers: z.array(Consumer).nullable().describe('Null: they could not be listed.'),
    missing,
    unexpected,
  })
  .meta({ id: 'Queue' });

const { heartbeatAgeMs, startedAt, doing, problems, ...worker } = WorkerView.shape;
const Worker = z
  .object({ ...worker, heartbeat_age_ms: heartbeatAgeMs, started_at: startedAt, doing, problems })
  .meta({ id: 'Worker' });

export const PresentedWorkerConfig = z
  .object({
    service_role: z.literal('api'),
    configured_queues: z.array(z.string()),
    all_known_queues: z.array(z.string()),
    listens_to_maintenance: z
      .boolean()
      .nullable()
      .describe('Each configured queue is bound as declared and consumed by its owner; null: nobody can tell.'),
    queues: z.array(Queue),
    workers: z.array(Worker).describe('Each instance heard of in the last 10 minutes.'),
    looked_at: Timestamp.describe('When the broker was looked at.'),
    ...looked,
  })
  .meta({ id: 'WorkerConfig' });
export type PresentedWorkerConfig = z.infer<typeof PresentedWorkerConfig>;

const { status, reasons, queues, scheduler, workerConfig, stores, fold } = HealthAnswer.shape;
export const PresentedHealth = z
  .object({ status, reasons, queues, scheduler, worker_config: workerConfig, stores, fold, ...looked })
  .meta({ id: 'Health' });
export type PresentedHealth = z.infer<typeof PresentedHealth>;

export const PresentedRollCall = z
  .object({
    events: z.array(LedgerEventView.pick({ position: true, id: true, type: true, time: true, data: true })),
    next: z.int().nonnegative().nullable(),
    as_of: PresentedAsOf,
  })
  .meta({ id: 'RollCall' });
export type PresentedRollCall = z.infer<typeof PresentedRollCall>;
