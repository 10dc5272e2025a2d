import { MAINTENANCE_EXCHANGE, retryQueue, retryTiers, type WorkQueue, workQueues } from '@expunge/contracts';
import { reaches } from '../topology/routes.js';
import type { Circumstances } from './circumstances.js';
import { evidence, found, type Found } from './finding.js';
import type { Leg } from './legs.js';

/** What the monitor has to hear of each part, or the job seems to stand. */
const heardOf = {
  start: 'deletion.started',
  records: 'batch.deleted',
  preflight: 'batch.deleted',
  answer: 'deletion.paused',
  objects: 'objects.purged',
  verification: 'deletion.records-verified',
} as const satisfies Record<Leg['part'], string>;

/** Whether what is due gets to its queue, and what comes of it to the monitor. */
export function ofRouting(leg: Leg, circumstances: Circumstances): Found[] {
  const { broker } = circumstances;
  const { at } = broker;
  if (broker.exchanges && !broker.exchanges.some(({ name }) => name === MAINTENANCE_EXCHANGE)) {
    return [
      found(
        'ROUTING:NO_EXCHANGE',
        'blocking',
        `The exchange ${MAINTENANCE_EXCHANGE} does not exist: nothing is routed.`,
        {
          evidence: [
            evidence('broker', `exchange ${MAINTENANCE_EXCHANGE}`, {
              observed: 'missing',
              expected: 'a topic exchange',
              at,
            }),
          ],
          nextActions: [
            'Restart a service, which declares it, or declare it by hand; if that is refused, look at the rights of its user.',
          ],
        },
      ),
    ];
  }
  return [
    ...missing([leg.queue, ...leg.looksInto, workQueues.monitorEvents], circumstances),
    ...unreached(leg.queue.name, leg.routingKey, circumstances),
    ...unreached(workQueues.monitorEvents.name, heardOf[leg.part], circumstances),
  ];
}

/** Of these queues and their retry tiers, without which nothing is taken from them, or tried again. */
function missing(needed: readonly WorkQueue[], { broker }: Circumstances): Found[] {
  const { queues, at } = broker;
  if (!queues) return [];
  const names = needed.flatMap(({ name }) => [name, ...retryTiers.map((tier) => retryQueue(name, tier))]);
  return names
    .filter((name) => !queues.some((queue) => queue.name === name))
    .map((name) =>
      found('ROUTING:QUEUE_MISSING', 'blocking', `The queue ${name} does not exist.`, {
        evidence: [evidence('broker', `queue ${name}`, { observed: 'missing', expected: 'a quorum queue', at })],
        nextActions: ['Restart a service, which declares it; if that is refused, look at the rights of its user.'],
      }),
    );
}

function unreached(queue: string, routingKey: string | null, { broker, queues }: Circumstances): Found[] {
  const { at } = broker;
  const exists = broker.queues?.some(({ name }) => name === queue) !== false;
  if (!exists || routingKey === null || reaches(broker, routingKey, queue) !== false) return [];
  const view = queues.find(({ name }) => name === queue);
  const there = view?.bindings.filter(({ present }) => present).map(({ bindingKey }) => bindingKey) ?? [];
  const observed = there.length === 0 ? 'no binding' : `bound with ${there.join(', ')}`;
  const summary = `Messages with the key ${routingKey} do not reach the queue ${queue}.`;
  return [
    found('ROUTING:NO_BINDING', 'blocking', summary, {
      evidence: [
        evidence('broker', `bindings of ${queue}`, { observed, expected: `one that takes ${routingKey}`, at }),
      ],
      nextActions: [`Bind ${queue} to ${MAINTENANCE_EXCHANGE} as declared; a service does so when it starts.`],
    }),
  ];
}
