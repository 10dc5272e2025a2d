import {
  type Diagnosis,
  type HealthAnswer,
  type LedgerEventView,
  type NotChecked,
  type QueueView,
  type WorkersAnswer,
} from '@expunge/contracts';
import { presentAsOf, type PresentedAsOf } from '../jobs/job-presenter.js';

/** The design's shapes, in snake_case. Null: could not be looked at; `not_checked` says why. */
export interface PresentedDiagnosis {
  code: string | null;
  severity: string | null;
  since: string | null;
  summary: string | null;
  evidence: Diagnosis['evidence'];
  next_actions: string[];
  contributing: Diagnosis['contributing'];
  not_checked: NotChecked[];
  as_of: PresentedAsOf | null;
}

export function presentDiagnosis(diagnosis: Diagnosis, asOf: PresentedAsOf | null): PresentedDiagnosis {
  const { code, severity, since, summary, evidence, nextActions, contributing, notChecked } = diagnosis;
  return {
    code,
    severity,
    since,
    summary,
    evidence,
    next_actions: nextActions,
    contributing,
    not_checked: notChecked,
    as_of: asOf,
  };
}

export type PresentedWorkerConfig = ReturnType<typeof presentWorkerConfig>;

export function presentWorkerConfig({
  asOf,
  ...config
}: Omit<WorkersAnswer, 'asOf'> & { asOf: WorkersAnswer['asOf'] | null }) {
  return {
    service_role: 'api',
    configured_queues: config.configuredQueues,
    all_known_queues: config.allKnownQueues,
    listens_to_maintenance: config.listensToMaintenance,
    queues: config.queues.map(presentQueue),
    workers: config.workers.map((worker) => ({
      service: worker.service,
      instance: worker.instance,
      host: worker.host,
      version: worker.version,
      state: worker.state,
      ready: worker.ready,
      heartbeat_age_ms: worker.heartbeatAgeMs,
      started_at: worker.startedAt,
      doing: worker.doing,
      problems: worker.problems,
    })),
    looked_at: config.at,
    not_checked: config.notChecked,
    as_of: asOf && presentAsOf(asOf),
  };
}

function presentQueue(queue: QueueView) {
  return {
    name: queue.name,
    service: queue.service,
    declared: queue.declared,
    present: queue.present,
    ready: queue.ready,
    unacknowledged: queue.unacknowledged,
    parked: queue.parked,
    bindings: queue.bindings.map(({ exchange, bindingKey, declared, present, through }) => ({
      exchange,
      routing_key: bindingKey,
      declared,
      present,
      through,
    })),
    consumer_count: queue.consumerCount,
    consumers:
      queue.consumers?.map((consumer) => ({
        tag: consumer.consumerTag,
        service: consumer.service,
        instance: consumer.instance,
        host: consumer.host,
        version: consumer.version,
        prefetch: consumer.prefetch,
        since: consumer.since,
        expected: consumer.expected,
      })) ?? null,
    missing: queue.missing,
    unexpected: queue.unexpected,
  };
}

export type PresentedHealth = ReturnType<typeof presentHealth>;

export function presentHealth({ asOf, ...health }: Omit<HealthAnswer, 'asOf'> & { asOf: HealthAnswer['asOf'] | null }) {
  const { status, reasons, queues, scheduler, workerConfig, stores, fold, notChecked } = health;
  return {
    status,
    reasons,
    queues,
    scheduler,
    worker_config: workerConfig,
    stores,
    fold,
    not_checked: notChecked,
    as_of: asOf && presentAsOf(asOf),
  };
}

export function presentRollCall(events: readonly LedgerEventView[]) {
  return events.map(({ position, id, type, time, data }) => ({ position, id, type, time, data }));
}
