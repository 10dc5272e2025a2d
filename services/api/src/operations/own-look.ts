import {
  allWorkQueues,
  type Diagnosis,
  type HealthAnswer,
  MAINTENANCE_EXCHANGE,
  type NotChecked,
  parkedQueue,
  type QueueView,
  type WorkersAnswer,
} from '@expunge/contracts';
import type { PassiveLook } from '@expunge/messaging';
import { problemOf } from '@expunge/runtime';

/** What this api finds out by itself when no monitor answers. */
export interface OwnLook {
  at: string;
  /** Null: the broker cannot be asked; `broker` says why. */
  look: PassiveLook | null;
  broker: string | null;
}

const why = 'no monitor answers';
const uncheckable: NotChecked[] = ['jobs', 'bindings', 'consumers', 'heartbeats', 'alarms'].map((what) => ({
  what,
  why,
}));

export function ownWorkers({ at, look, broker }: OwnLook): Omit<WorkersAnswer, 'asOf'> {
  const queues = allWorkQueues.map(({ name, service, bindings }): QueueView => {
    const seen = look?.queues.find((queue) => queue.name === name) ?? null;
    const isMissing = look !== null && seen === null;
    return {
      name,
      service,
      declared: true,
      present: look && seen !== null,
      ready: seen?.ready ?? null,
      unacknowledged: null,
      parked: look?.queues.find((queue) => queue.name === parkedQueue(name))?.ready ?? null,
      bindings: bindings.map((bindingKey) => ({
        exchange: MAINTENANCE_EXCHANGE,
        bindingKey,
        declared: true,
        present: null,
        through: null,
      })),
      consumers: null,
      consumerCount: seen?.consumers ?? null,
      missing: [
        ...(look?.hasExchange === false ? [`exchange ${MAINTENANCE_EXCHANGE}`] : []),
        ...(isMissing ? [`queue ${name}`] : []),
        ...(seen?.consumers === 0 ? [`a consumer of ${service}`] : []),
      ],
      unexpected: [],
    };
  });
  return {
    at,
    configuredQueues: allWorkQueues.map(({ name }) => name),
    allKnownQueues: look?.queues.map(({ name }) => name) ?? [],
    listensToMaintenance: queues.some(({ missing }) => missing.length > 0) ? false : null,
    queues,
    workers: [],
    notChecked: [...uncheckable, ...(look ? [] : [{ what: 'queues', why: broker ?? 'the broker does not answer' }])],
  };
}

const lackingIn = (queues: readonly QueueView[]): string[] =>
  queues.flatMap(({ name, missing }) => missing.map((what) => `${name} lacks ${what}`));

/** @param storeError of a job of which not even the acceptance can be read; null: that alone is known of it */
export function ownDiagnosis(own: OwnLook, storeError: Error | null = null): Diagnosis {
  const stale = withoutMonitors(own);
  if (!storeError) return stale;
  const { code, message } = problemOf(storeError);
  const { contributing, notChecked, evidence, summary } = stale;
  return {
    code: 'STORE:MONGO_UNAVAILABLE',
    severity: 'blocking',
    since: null,
    summary: `Neither a monitor nor the MongoDB of the api answers, so nothing is known of any job: ${message}`,
    evidence: [
      { source: 'api', check: 'mongodb', observed: `${code}: ${message}`, expected: 'an answer', at: own.at },
      ...evidence,
    ],
    // Not a monitor: those that run answer nothing without theirs.
    nextActions: ['Start MongoDB, or look at the network between it and the services.'],
    contributing: [...contributing, { code: 'MONITOR:STALE', severity: 'warning', summary: summary ?? '', evidence }],
    notChecked,
  };
}

function withoutMonitors(own: OwnLook): Diagnosis {
  const { at, look, broker } = own;
  const { queues, notChecked } = ownWorkers(own);
  const missing = lackingIn(queues);
  const observed = look
    ? missing.length === 0
      ? 'each queue is consumed'
      : missing.join('; ')
    : (broker ?? 'no answer');
  return {
    code: 'MONITOR:STALE',
    severity: 'warning',
    since: null,
    summary: `No monitor answers, so nothing is known of what became of the job. The broker: ${observed}.`,
    evidence: [
      { source: 'api', check: 'MONITOR_URLS', observed: 'none answers', expected: 'one answers', at },
      { source: 'api', check: 'queues by passive declare', observed, expected: 'each queue is consumed', at },
    ],
    nextActions: ['Start a monitor, or look into its log.'],
    contributing: [],
    notChecked,
  };
}

export function ownHealth(own: OwnLook): Omit<HealthAnswer, 'asOf'> {
  const { queues, notChecked } = ownWorkers(own);
  const missing = lackingIn(queues);
  const monitors = { status: 'down' as const, detail: why };
  const workerConfig =
    missing.length > 0
      ? { status: 'down' as const, detail: missing.join('; ') }
      : { status: 'unknown' as const, detail: own.look ? why : own.broker };
  return {
    status: 'down',
    reasons: [
      `fold: ${why}`,
      ...(own.look ? [] : [`broker: ${own.broker ?? 'it does not answer'}`]),
      ...(missing.length > 0 ? [`workers: ${missing.join('; ')}`] : []),
    ],
    queues: queues.map(({ name, ready, parked }) => ({
      name,
      queued: ready,
      started: null,
      finished: null,
      failed: null,
      parked,
    })),
    scheduler: monitors,
    workerConfig,
    stores: {},
    fold: monitors,
    notChecked,
  };
}
