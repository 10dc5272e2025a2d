import {
  type Circumstances,
  HANGS_AFTER_MS,
  isFresh,
  type KnownWorker,
  nameOf,
  seconds,
  SILENT_AFTER_MS,
  workersOf,
} from './circumstances.js';
import { evidence, found, type Found } from './finding.js';
import type { Leg } from './legs.js';

/** A queue counts every 5 s: what a look was told was so at some moment in as long before it. */
const COUNTS_ARE_OLD_MS = 6_000;

/** By the heartbeat itself; a worker that hangs says so at its next one at the latest. */
const TOLD_TO_LAST_MS = 3_500;

/** Whether those that consume get anywhere. */
export function ofProgress(leg: Leg, job: string, circumstances: Circumstances): Found[] {
  const told = asTold(leg, job, circumstances);
  return told.length > 0 ? told : asCounted(leg, circumstances);
}

/** By what the workers say of themselves. */
function asTold(leg: Leg, job: string, circumstances: Circumstances): Found[] {
  const { now, queues } = circumstances;
  const at = now.toISOString();
  const view = queues.find(({ name }) => name === leg.queue.name);
  const consuming = consumingOf(leg, circumstances);
  const since = (worker: KnownWorker) => Date.parse(worker.beat.doing?.since ?? at);
  // What had just begun at the last heartbeat may be done since.
  const hanging = consuming.filter((worker) => {
    const forMs = now.getTime() - since(worker);
    return forMs > HANGS_AFTER_MS && forMs - worker.ageMs >= TOLD_TO_LAST_MS;
  });
  const atThisJob = hanging.find(({ beat }) => beat.doing?.job === job);
  const all: Found[] = [];
  const isFull = ({ beat }: KnownWorker) => (beat.inHand?.[leg.queue.name] ?? 0) >= leg.queue.prefetch;
  // The broker's count of what waits comes late; full hands that are not at this job's work keep it waiting anyway.
  const othersWait = view?.ready !== 0 || !atThisJob;
  if (consuming.length > 0 && hanging.length === consuming.length && consuming.every(isFull) && othersWait) {
    const held = consuming.map(
      (worker) => `${nameOf(worker)} at ${worker.beat.doing?.what} since ${worker.beat.doing?.since}`,
    );
    all.push(
      found(
        'CONSUMER:SATURATED',
        'blocking',
        `All consumers of ${leg.queue.name} have their hands full: ${held.join('; ')}.`,
        {
          since: new Date(Math.min(...consuming.map(since))).toISOString(),
          evidence: consuming.map((worker) =>
            evidence('heartbeat', `work in hand of ${nameOf(worker)}`, {
              observed: `${worker.beat.inHand?.[leg.queue.name]} of ${leg.queue.prefetch}, the oldest since ${worker.beat.doing?.since}`,
              expected: 'fewer, or none older than 6 s',
              at,
            }),
          ),
          nextActions: [`Look at what ${leg.service} waits for, or run more of it.`],
        },
      ),
    );
  }
  if (atThisJob?.beat.doing) {
    const { what, since: begun } = atThisJob.beat.doing;
    all.push(
      found('WORKER:NO_PROGRESS', 'blocking', `${nameOf(atThisJob)} has been at ${what} since ${begun}.`, {
        since: begun,
        evidence: [
          evidence('heartbeat', `what ${nameOf(atThisJob)} does`, {
            observed: `${what}, since ${begun}`,
            expected: 'no longer than 6 s at one thing',
            at,
          }),
        ],
        nextActions: [`Look at what ${nameOf(atThisJob)} waits for; restart it if it hangs.`],
      }),
    );
  }
  return all;
}

/** By what the broker has counted: messages in hands of which nobody knows. */
function asCounted(leg: Leg, circumstances: Circumstances): Found[] {
  const { queue } = leg;
  const { broker, paces, now } = circumstances;
  const pace = paces.get(queue.name);
  const consuming = consumingOf(leg, circumstances);
  if (!pace || consuming.length === 0 || consuming.some(({ beat }) => beat.doing !== null)) return [];
  // A count may be of what was in hand for a moment and is done: all must have told of the whole time it may be of.
  const toldAt = now.getTime() - Math.max(...consuming.map(({ ageMs }) => ageMs));
  const counted = pace.heldAt.findLast((at) => Date.parse(at) <= toldAt);
  if (counted === undefined) return [];
  const from = Date.parse(counted) - COUNTS_ARE_OLD_MS;
  if (workersOf(circumstances, leg.service).some((worker) => touchedAt(worker, queue.name, now) >= from)) return [];
  const unacknowledged = broker.queues?.find(({ name }) => name === queue.name)?.unacknowledged ?? 0;
  const names = consuming.map(nameOf).join(', ');
  const summary = `${unacknowledged} messages of ${queue.name} were delivered and are not acknowledged, and nobody says to work on them: ${names}.`;
  return [
    found('WORKER:NO_PROGRESS', 'blocking', summary, {
      since: pace.since,
      evidence: [
        evidence('broker', `unacknowledged messages of ${queue.name}`, {
          observed: `${unacknowledged}, and none acknowledged since ${pace.since}`,
          expected: 'acknowledged',
          at: broker.at,
        }),
        ...consuming.map((worker) =>
          evidence('heartbeat', `what ${nameOf(worker)} does`, {
            observed: `nothing since ${new Date(from).toISOString()} at the latest, heard ${seconds(worker.ageMs)} ago`,
            expected: 'work on what it holds',
            at: now.toISOString(),
          }),
        ),
      ],
      nextActions: [`Restart ${names}: what it holds is delivered again.`],
    }),
  ];
}

/** The last moment at which an instance may have had a delivery of the queue in hand, as far as it told. */
function touchedAt({ beat, ageMs }: KnownWorker, queue: string, now: Date): number {
  const beatAt = now.getTime() - ageMs;
  if (beat.state === 'exiting') return beatAt;
  // The instance may have had another process before this one.
  const startedAt = Date.parse(beat.startedAt);
  const untouchedMs = beat.untouchedMs ? beat.untouchedMs[queue] : 0;
  const touched = untouchedMs === undefined ? startedAt : Math.max(startedAt, beatAt - untouchedMs);
  return ageMs > SILENT_AFTER_MS ? beatAt + SILENT_AFTER_MS : touched;
}

/** Who lives and says that it consumes the queue. */
const consumingOf = ({ service, queue }: Leg, circumstances: Circumstances): KnownWorker[] =>
  workersOf(circumstances, service).filter((worker) => isFresh(worker) && worker.beat.consumes.includes(queue.name));
