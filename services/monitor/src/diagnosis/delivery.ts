import { parkedQueue } from '@expunge/contracts';
import type { Circumstances, JobInQuestion } from './circumstances.js';
import { evidence, found, type Found } from './finding.js';
import type { Leg } from './legs.js';

/** So many deliveries of each message that consumers can hold, and no acknowledgement in between: no longer chance. */
const LOOPS_AFTER = 3;

/** Of many messages, so many are evidence enough. */
const SHOWN = 10;

/** Whether deliveries of the leg's queue end in nothing. */
export function ofDelivery(leg: Leg, { job }: JobInQuestion, circumstances: Circumstances): Found[] {
  return [...loops(leg, circumstances), ...parked(job.id, circumstances)];
}

function loops({ queue }: Leg, { paces, now, broker, queues }: Circumstances): Found[] {
  const pace = paces.get(queue.name);
  const standing = broker.queues?.find(({ name }) => name === queue.name);
  if (!pace || !standing) return [];
  const again = pace.redelivered - pace.redeliveredBefore;
  const consumers = queues.find(({ name }) => name === queue.name)?.consumers?.length ?? 0;
  const inHands = Math.min(standing.ready + standing.unacknowledged, queue.prefetch * Math.max(1, consumers));
  if (again < LOOPS_AFTER * Math.max(1, inHands)) return [];
  const summary = `Messages of ${queue.name} were delivered again ${again} times, and none was acknowledged in between.`;
  return [
    found('DELIVERY:LOOP', 'blocking', summary, {
      since: pace.since,
      evidence: [
        evidence('broker', `deliveries of ${queue.name}`, {
          observed: `${again} redelivered, 0 acknowledged since ${pace.since}`,
          expected: 'acknowledged',
          at: now.toISOString(),
        }),
      ],
      nextActions: [
        `Look into the log of ${queue.service}: it ends or loses its channel with the message in hand. After 20 deliveries it is parked.`,
      ],
    }),
  ];
}

function parked(job: string, { parked: all, now }: Circumstances): Found[] {
  const own = all.get(job) ?? [];
  const [first] = own;
  if (!first) return [];
  const summary = `${own.length} of this job's messages were given up on, such as ${first.type ?? 'one'} in ${parkedQueue(first.queue)}: ${first.reason}.`;
  return [
    found('DELIVERY:PARKED', 'blocking', summary, {
      since: first.at,
      evidence: own.slice(0, SHOWN).map(({ queue, type, reason }) =>
        evidence('broker', `queue ${parkedQueue(queue)}`, {
          observed: `${type ?? 'a message'}: ${reason}`,
          expected: 'no message of this job',
          at: now.toISOString(),
        }),
      ),
      nextActions: [`Mend what the reason names, then POST /api/parked/${first.queue}/replay.`],
    }),
  ];
}
