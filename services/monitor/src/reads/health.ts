import {
  allWorkQueues,
  type HealthAnswer,
  type HealthState,
  retryQueue,
  retryTiers,
  serviceNames,
} from '@expunge/contracts';
import {
  type Circumstances,
  isFresh,
  nameOf,
  seconds,
  SILENT_AFTER_MS,
  workersOf,
} from '../diagnosis/circumstances.js';
import { listensToMaintenance } from '../topology/compared.js';

/** What is seen of a part, and the worst first. */
interface Part {
  status: HealthState;
  detail: string | null;
}

const order: readonly HealthState[] = ['down', 'degraded', 'unknown', 'ok'];
const ok: Part = { status: 'ok', detail: null };
const stores = ['mongodb', 'records', 'bucket', 'store', 'database'] as const;

/** The state of the whole. Nothing is green for having been silent: each part rests on how old its last sign is. */
export function healthOf(circumstances: Circumstances): HealthAnswer {
  const fold = foldPart(circumstances);
  const workerConfig = workersPart(circumstances);
  const broker = brokerPart(circumstances);
  const scheduler = schedulerPart(circumstances);
  const ofStores = storeParts(circumstances);
  const queues = queueRows(circumstances);
  const parked = queues.filter((queue) => (queue.parked ?? 0) > 0);
  const parkedPart: Part =
    parked.length === 0
      ? ok
      : { status: 'degraded', detail: parked.map((queue) => `${queue.parked} parked of ${queue.name}`).join('; ') };
  const parts: [string, Part][] = [
    ['fold', fold],
    ['broker', broker],
    ['workers', workerConfig],
    ['scheduler', scheduler],
    ...Object.entries(ofStores),
    ['parked', parkedPart],
  ];
  const reasons = parts.flatMap(([name, { status, detail }]) =>
    status === 'ok' ? [] : [`${name}: ${detail ?? status}`],
  );
  const status = order.find((state) => parts.some(([, part]) => part.status === state)) ?? 'unknown';
  const { asOf, notChecked } = circumstances;
  return {
    asOf,
    status,
    reasons,
    queues,
    scheduler,
    workerConfig,
    stores: ofStores,
    fold,
    notChecked: [...notChecked],
  };
}

function foldPart({ asOf: { monitorHeartbeatAgeMs: age, lagMs } }: Circumstances): Part {
  if (age === null) return { status: 'down', detail: 'no monitor has folded anything yet' };
  if (age > SILENT_AFTER_MS)
    return { status: 'down', detail: `no monitor folds; the last sign was ${seconds(age)} ago` };
  if (lagMs === null) return { status: 'unknown', detail: 'how far the fold is behind is not known' };
  return lagMs > SILENT_AFTER_MS ? { status: 'degraded', detail: `${seconds(lagMs)} behind` } : ok;
}

function brokerPart({ broker }: Circumstances): Part {
  if (!broker.connected) return { status: 'down', detail: broker.error ?? 'not connected' };
  const alarms = [...(broker.alarms ?? []), ...(broker.blocked === null ? [] : [broker.blocked])];
  if (alarms.length > 0) return { status: 'down', detail: alarms.join('; ') };
  return broker.error === null ? ok : { status: 'degraded', detail: broker.error };
}

function workersPart(circumstances: Circumstances): Part {
  const { queues } = circumstances;
  const missing = queues.flatMap(({ name, missing }) => missing.map((what) => `${name} lacks ${what}`));
  const silent = serviceNames
    .filter((service) => !workersOf(circumstances, service).some(isFresh))
    .map((service) => `no ${service} is heard`);
  const unexpected = queues.flatMap(({ name, unexpected }) => unexpected.map((what) => `${name} has ${what}`));
  const problems = [...missing, ...silent];
  if (problems.length > 0) return { status: 'down', detail: [...problems, ...unexpected].join('; ') };
  if (unexpected.length > 0) return { status: 'degraded', detail: unexpected.join('; ') };
  return listensToMaintenance(queues) === null
    ? { status: 'unknown', detail: 'not all of the topology could be looked at' }
    : ok;
}

/** Each monitor sweeps for what is missing, and asks again. */
function schedulerPart(circumstances: Circumstances): Part {
  return workersOf(circumstances, 'monitor').some(isFresh)
    ? ok
    : { status: 'down', detail: 'no monitor is heard: nothing that was lost is asked for again' };
}

function storeParts(circumstances: Circumstances): Record<string, Part> {
  const fresh = circumstances.workers.filter(isFresh);
  const parts: Record<string, Part> = {};
  for (const worker of fresh) {
    for (const store of stores) {
      const problem = worker.beat.problems?.[store];
      if (!problem) continue;
      const { service } = worker.beat;
      parts[`${service} ${store}`] = {
        status: 'down',
        detail: `${nameOf(worker)}: ${problem.code}: ${problem.message}`,
      };
    }
  }
  return parts;
}

function queueRows({ queues, broker, paces }: Circumstances): HealthAnswer['queues'] {
  return allWorkQueues.map(({ name }) => {
    const view = queues.find((queue) => queue.name === name);
    const tiers = broker.queues?.filter((queue) => retryTiers.some((tier) => queue.name === retryQueue(name, tier)));
    const failed = tiers?.reduce((sum, { ready }) => sum + ready, 0) ?? null;
    return {
      name,
      queued: view?.ready ?? null,
      started: view?.unacknowledged ?? null,
      finished: paces.get(name)?.acknowledged ?? null,
      failed,
      parked: view?.parked ?? null,
    };
  });
}
