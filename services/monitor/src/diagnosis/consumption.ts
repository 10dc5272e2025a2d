import type { ConsumerView } from '@expunge/contracts';
import {
  type Circumstances,
  isFresh,
  type KnownWorker,
  nameOf,
  seconds,
  SILENT_AFTER_MS,
  workersOf,
} from './circumstances.js';
import { evidence, found, type Found } from './finding.js';
import type { Leg } from './legs.js';

/** Last words of before that explain nothing of now. */
const LAST_WORDS_MATTER_MS = 120_000;
/** Whoever runs for longer, and does not consume, has a reason of its own. */
const YOUNG_FOR_MS = 15_000;

/** Whether somebody takes what is due from its queue: and if nobody does, what became of those that should. */
export function ofConsumption(leg: Leg, circumstances: Circumstances): Found[] {
  const { queues } = circumstances;
  const view = queues.find(({ name }) => name === leg.queue.name);
  const consumers = view?.consumers ?? null;
  const strangers = (consumers ?? []).filter(({ expected }) => !expected);
  return [
    ...nobody(leg, consumers, view?.consumerCount ?? null, circumstances),
    ...(strangers.length > 0 ? [unexpected(leg, strangers, circumstances)] : []),
  ];
}

function nobody(
  leg: Leg,
  consumers: readonly ConsumerView[] | null,
  count: number | null,
  circumstances: Circumstances,
): Found[] {
  const own = workersOf(circumstances, leg.service);
  const alive = own.filter(isFresh);
  const ours = consumers?.filter(({ expected }) => expected) ?? null;
  const isConsumed = ours ? ours.length > 0 : count === null ? null : count > 0;
  const consuming = alive.filter(({ beat }) => beat.consumes.includes(leg.queue.name));
  if (consuming.length > 0 && isConsumed !== false) return [];
  // Without the broker's word, a worker's own must do.
  if (isConsumed === null && own.length === 0) return [];
  const failed = startFailed(leg, own, circumstances);
  const silent = fellSilent(leg, own, alive, ours, circumstances);
  const deaf = alive.filter(({ beat }) => beat.state === 'running' && !beat.consumes.includes(leg.queue.name));
  const cancelled = isConsumed === false && deaf.length > 0 ? [consumerCancelled(leg, deaf, circumstances)] : [];
  const none = isConsumed === false ? [noConsumer(leg, own, circumstances)] : [];
  return [...failed, ...silent, ...cancelled, ...none];
}

/** Also where one that was started again since runs, and has not come to consume. */
function startFailed({ service }: Leg, own: KnownWorker[], { ends, now }: Circumstances): Found[] {
  const ended = ends.filter(({ beat, ageMs }) => beat.service === service && ageMs < LAST_WORDS_MATTER_MS);
  const [last] = ended.toSorted((a, b) => a.ageMs - b.ageMs);
  if (!last) return [];
  const startedAfter = ({ beat }: KnownWorker) => Date.parse(beat.startedAt) > Date.parse(last.beat.startedAt);
  const livedMs = ({ beat, ageMs }: KnownWorker) => now.getTime() - ageMs - Date.parse(beat.startedAt);
  const livedOn = (worker: KnownWorker) =>
    startedAfter(worker) && (livedMs(worker) >= YOUNG_FOR_MS || worker.beat.exit?.reason === 'stopped');
  const running = own.filter((worker) => isFresh(worker) && worker.beat.state === 'running');
  if (!running.every(startedAfter) || own.some(livedOn)) return [];
  const [again] = running;
  const { lastError } = last.beat;
  const why = lastError ? `${lastError.code}: ${lastError.message}` : 'it did not say why';
  const since = again ? ` ${nameOf(again)} runs since ${again.beat.startedAt}, and does not consume yet.` : '';
  const summary = `${nameOf(last)} ended ${seconds(last.ageMs)} ago: ${why}${since}`;
  return [
    found('WORKER:START_FAILED', 'blocking', summary, {
      since: ended.map(({ heardAt }) => heardAt).toSorted()[0] ?? last.heardAt,
      evidence: ended.map((worker) =>
        evidence('heartbeat', `last words of ${nameOf(worker)}`, {
          observed: `exit code ${worker.beat.exit?.code}, started ${worker.beat.startedAt}: ${worker.beat.lastError?.message ?? 'no error told'}`,
          expected: 'running',
          at: now.toISOString(),
        }),
      ),
      nextActions: [`Mend what ${service} says, and start it again.`],
    }),
  ];
}

/** Heard of in the last minutes, and no longer, without a last word. */
function fellSilent(
  { service, queue }: Leg,
  own: KnownWorker[],
  alive: KnownWorker[],
  ours: readonly ConsumerView[] | null,
  { now }: Circumstances,
): Found[] {
  if (alive.length > 0) return [];
  const silent = own
    .filter(({ beat, ageMs }) => beat.state !== 'exiting' && ageMs > SILENT_AFTER_MS)
    .toSorted((a, b) => a.ageMs - b.ageMs);
  const [last] = silent;
  if (!last) return [];
  const stillThere = ours?.some(({ instance }) => instance === last.beat.instance) === true;
  const meaning = stillThere
    ? 'Its connection stands: it is frozen, or its event loop is blocked.'
    : 'Its connection is gone.';
  const doing = last.beat.doing ? ` It was at ${last.beat.doing.what} since ${last.beat.doing.since}.` : '';
  const summary = `No ${service} has been heard; ${nameOf(last)} was the last, ${seconds(last.ageMs)} ago. ${ours ? meaning : ''}${doing}`;
  return [
    found('WORKER:NO_HEARTBEAT', 'blocking', summary.trim(), {
      since: last.heardAt,
      evidence: silent.map((worker) =>
        evidence('heartbeat', `heartbeat of ${nameOf(worker)}`, {
          observed: `${seconds(worker.ageMs)} ago, from host ${worker.beat.host}`,
          expected: `within ${seconds(SILENT_AFTER_MS)}`,
          at: now.toISOString(),
        }),
      ),
      nextActions: [
        `Look at ${nameOf(last)} on ${last.beat.host}, process ${last.beat.pid}; restart it, or start another ${service} on ${queue.name}.`,
      ],
    }),
  ];
}

function consumerCancelled({ queue }: Leg, deaf: KnownWorker[], { now }: Circumstances): Found {
  const [first] = deaf;
  const name = first ? nameOf(first) : '';
  const why = first?.beat.problems?.['consumers']?.message ?? first?.beat.problems?.['broker']?.message;
  return found(
    'CONSUMER:CANCELLED',
    'blocking',
    `${name} lives, but does not consume ${queue.name}${why ? `: ${why}` : ''}.`,
    {
      evidence: deaf.map((worker) =>
        evidence('heartbeat', `queues of ${nameOf(worker)}`, {
          observed: `consumes ${worker.beat.consumes.join(', ') || 'nothing'}, heard ${seconds(worker.ageMs)} ago`,
          expected: `consumes ${queue.name}`,
          at: now.toISOString(),
        }),
      ),
      nextActions: [`Look at the rights of its user to read ${queue.name}, and into its log for "not consumed".`],
    },
  );
}

function noConsumer({ service, queue }: Leg, own: KnownWorker[], { broker, now }: Circumstances): Found {
  const [last] = own.toSorted((a, b) => a.ageMs - b.ageMs);
  const heard = lastHeard(service, last);
  const summary = [`Nobody consumes ${queue.name}.`, heard?.summary].filter(Boolean).join(' ');
  return found('CONSUMER:NONE', 'blocking', summary, {
    since: last?.beat.exit ? last.heardAt : null,
    evidence: [
      evidence('broker', `consumers of ${queue.name}`, {
        observed: '0 of ours',
        expected: `at least one of ${service}`,
        at: broker.at,
      }),
      ...(heard ? [evidence('heartbeat', heard.check, { ...heard, expected: 'running', at: now.toISOString() })] : []),
    ],
    nextActions: [`Start a ${service}.`],
  });
}

/** Null: it does not explain why nobody consumes. */
function lastHeard(service: string, last: KnownWorker | undefined) {
  if (!last) {
    const summary = `No ${service} has been heard of lately.`;
    return { summary, check: `heartbeats of ${service}`, observed: 'none' };
  }
  if (last.beat.exit?.reason !== 'stopped') return null;
  const ago = `${seconds(last.ageMs)} ago`;
  return {
    summary: `${nameOf(last)} was stopped ${ago}.`,
    check: `last words of ${nameOf(last)}`,
    observed: `stopped, ${ago}`,
  };
}

function unexpected({ service, queue }: Leg, strangers: readonly ConsumerView[], { broker }: Circumstances): Found {
  const names = strangers.map(({ consumerTag }) => consumerTag).join(', ');
  const summary = `${names} takes messages from ${queue.name} and is no ${service}: what it takes is not done.`;
  return found('CONSUMER:UNEXPECTED', 'blocking', summary, {
    evidence: strangers.map(({ consumerTag, host }) =>
      evidence('broker', `consumers of ${queue.name}`, {
        observed: `${consumerTag}${host === null ? '' : ` from ${host}`}`,
        expected: `consumers of ${service} alone`,
        at: broker.at,
      }),
    ),
    nextActions: ['Find it by its connection in the management page, and stop it.'],
  });
}
