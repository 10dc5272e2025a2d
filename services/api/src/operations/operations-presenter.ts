import {
  type Diagnosis,
  type HealthAnswer,
  type LedgerEventView,
  type QueueView,
  type WorkersAnswer,
} from '@expunge/contracts';
import type { PresentedAsOf } from '../jobs/job-answers.js';
import { presentAsOf } from '../jobs/job-presenter.js';
import type {
  PresentedDiagnosis,
  PresentedHealth,
  PresentedRollCall,
  PresentedWorkerConfig,
} from './operation-answers.js';

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

export function presentWorkerConfig({
  asOf,
  ...config
}: Omit<WorkersAnswer, 'asOf'> & { asOf: WorkersAnswer['asOf'] | null }): PresentedWorkerConfig {
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

function presentQueue(queue: QueueView): PresentedWorkerConfig['queues'][number] {
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

export function presentHealth({
  asOf,
  ...health
}: Omit<HealthAnswer, 'asOf'> & { asOf: HealthAnswer['asOf'] | null }): PresentedHealth {
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

export function presentRollCall(events: readonly LedgerEventView[]): PresentedRollCall['events'] {
  return events.map(({ position, id, type, time, data }) => ({ position, id, type, time, data }));
}
