import { allWorkQueues, MAINTENANCE_EXCHANGE, queueDeclarations, type WorkerHeartbeat } from '@expunge/contracts';
import type { Circumstances, JobInQuestion, KnownWorker } from '../diagnosis/circumstances.js';
import { compact } from '../ledger/compact.js';
import { evolve } from '../projection/evolve.js';
import type { JobProjection } from '../projection/job.js';
import type { BrokerView, SeenConsumer } from '../topology/broker-view.js';
import { comparedQueues } from '../topology/compared.js';
import type { Story } from './story.js';

type Beat = WorkerHeartbeat['data'];

export const NOW = new Date('2026-11-01T10:05:00.000Z');
const secondsAgo = (seconds: number): string => new Date(NOW.getTime() - seconds * 1000).toISOString();

export function consumerOf(service: string, queue: string, instance = `${service}-1`): SeenConsumer {
  const connection = { name: `${service}@${instance}`, host: 'h', version: '1', connectedAt: secondsAgo(600) };
  return { queue, tag: `${service}@${instance}:${queue}`, prefetch: 4, connection };
}

/** A broker on which everything is as declared, with one instance of each service. */
export function healthyBroker(): BrokerView {
  const queue = (name: string) => ({
    name,
    ready: 0,
    unacknowledged: 0,
    consumerCount: null,
    acknowledged: 0,
    redelivered: 0,
  });
  return {
    at: NOW.toISOString(),
    connected: true,
    error: null,
    blocked: null,
    version: '4.0.0',
    exchanges: [{ name: MAINTENANCE_EXCHANGE, type: 'topic' }],
    bindings: allWorkQueues.flatMap(({ name, bindings }) =>
      bindings.map((key) => ({
        source: MAINTENANCE_EXCHANGE,
        destination: name,
        destinationType: 'queue' as const,
        key,
      })),
    ),
    queues: allWorkQueues.flatMap(queueDeclarations).map(({ name }) => queue(name)),
    consumers: allWorkQueues.map(({ name, service }) => consumerOf(service, name)),
    alarms: [],
    notChecked: [],
  };
}

export function worker(service: string, ageSeconds: number, more: Partial<Beat> = {}): KnownWorker {
  const beat: Beat = {
    service,
    instance: `${service}-1`,
    host: 'h',
    pid: 7,
    version: '1',
    startedAt: secondsAgo(600),
    state: 'running',
    ready: true,
    consumes: allWorkQueues.filter((queue) => queue.service === service).map(({ name }) => name),
    doing: null,
    lastError: null,
    sequences: {},
    missingIndexes: null,
    problems: {},
    inHand: {},
    untouchedMs: {},
    ...more,
  };
  return { beat, ageMs: ageSeconds * 1000, heardAt: secondsAgo(ageSeconds) };
}

export const allWorkers = (): KnownWorker[] =>
  ['api', 'deleter', 'storage-cleaner', 'monitor'].map((service) => worker(service, 2));

/** All well, but for what a test changes. */
export function circumstances({
  broker = healthyBroker(),
  workers = allWorkers(),
  asOf = { position: 1, at: secondsAgo(20), lagMs: 0, monitorHeartbeatAgeMs: 500 },
  ...more
}: Partial<Circumstances> = {}): Circumstances {
  return {
    now: NOW,
    broker,
    queues: comparedQueues(broker),
    paces: new Map(),
    workers,
    ends: workers.filter(({ beat }) => beat.exit?.reason === 'fatal'),
    asOf,
    lagOfOthersMs: asOf.lagMs,
    unfoldable: new Map(),
    parked: new Map(),
    notChecked: broker.notChecked,
    resourcesWithBucket: new Set(),
    ...more,
  };
}

/** The job of a story, of which nothing has been heard for so long. */
export function standing(story: Story, quietSeconds = 20): JobInQuestion {
  const folded = story.events.reduce<JobProjection | null>(
    (job, message, i) => evolve(job, { position: i + 1, message: compact(message) }),
    null,
  );
  if (!folded) throw new Error('a story without events');
  const at = new Date(NOW.getTime() - quietSeconds * 1000);
  return { job: folded, movedAt: { records: at, objects: at } };
}
