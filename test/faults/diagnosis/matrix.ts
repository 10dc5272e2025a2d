import { startLocalStack } from '@expunge/local-stack';
import { consumerFaults } from './consumer-faults.js';
import { deliveryFaults } from './delivery-faults.js';
import type { Fault } from './fault.js';
import { intentFaults } from './intent-faults.js';
import { Lane } from './lane.js';
import { monitorFaults } from './monitor-faults.js';
import { rightsFaults } from './rights-faults.js';
import { routingFaults } from './routing-faults.js';
import { serverFaults } from './server-faults.js';
import { storeFaults } from './store-faults.js';
import { type Outcome, tryFault } from './trial.js';
import { workerFaults } from './worker-faults.js';

/** What befalls one lane, and no other on the same servers; first what takes long, so that the lanes end together. */
const laneFaults = [
  ...workerFaults,
  ...intentFaults,
  ...monitorFaults,
  ...storeFaults,
  ...deliveryFaults,
  ...routingFaults,
  ...rightsFaults,
  ...consumerFaults,
];
export const allFaults: readonly Fault[] = [...laneFaults, ...serverFaults];

/** Left to `npm run test:full`: the others have one of the same kind, which the same rule tells. */
const ofLongForm = new Set([
  'its storage-cleaner was killed',
  'its storage-cleaner is frozen',
  'the broker is frozen',
  'every MongoDB is frozen',
  'every storage-cleaner was stopped before anything of it went',
  'all jobs together are at their limit',
  'the MongoDB of its deleter does not answer',
  "the broker's disk is nearly full",
  "a retry queue of the storage-cleaner's was deleted",
  'the monitor is not told of batches',
  'every deleter was stopped, and the user of the management API lacks the tag "monitoring"',
  "the password of the services' user was changed",
]);
export const isOfLongForm = ({ name }: Fault): boolean => ofLongForm.has(name);

export interface Matrix {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly seconds: number;
}

/**
 * The faults one by one on each of the lanes. Those of servers have a stack of their own.
 * @param say is told of each outcome
 */
export async function runMatrix(lanes: number, faults: readonly Fault[], say: (line: string) => void): Promise<Matrix> {
  const startedAt = Date.now();
  const outcomes = new Map<string, Outcome>();
  const note = (outcome: Outcome) => {
    outcomes.set(outcome.fault, outcome);
    say(lineOf(outcome));
  };
  const [ofServers, ofLanes] = [true, false].map((is) => faults.filter((one) => serverFaults.includes(one) === is));
  await Promise.all([onStack(lanes, ofLanes ?? [], note), onStack(1, ofServers ?? [], note)]);
  return { outcomes, seconds: Math.round((Date.now() - startedAt) / 1000) };
}

async function onStack(lanes: number, waiting: Fault[], note: (outcome: Outcome) => void): Promise<void> {
  if (waiting.length === 0) return;
  const stack = await startLocalStack({ supervised: false });
  try {
    const names = Array.from({ length: Math.min(lanes, waiting.length) }, (_, i) => `lane-${i + 1}`);
    const work = async (name: string) => {
      const lane = await Lane.start(stack, name);
      try {
        for (let fault = waiting.shift(); fault; fault = waiting.shift())
          note(await (process.env['CI'] ? tryTwice(lane, fault, note) : tryFault(lane, fault)));
      } finally {
        await lane.stop();
      }
    };
    const ends = await Promise.allSettled(names.map(work));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } finally {
    await stack.stop();
  }
}

/** CI's machine is shared, and ten seconds may be short on it, once: both tries are told. */
async function tryTwice(lane: Lane, fault: Fault, note: (outcome: Outcome) => void): Promise<Outcome> {
  const first = await tryFault(lane, fault);
  if (first.violations.length === 0) return first;
  note(first);
  return tryFault(lane, fault);
}

function lineOf({ fault, namedAfterMs, clearedAfterMs, tookMs, said, violations }: Outcome): string {
  const inSeconds = (ms: number | null) => (ms === null ? '-' : (ms / 1000).toFixed(1));
  const times = `named after ${inSeconds(namedAfterMs)} s, cleared after ${inSeconds(clearedAfterMs)} s, ${inSeconds(tookMs)} s in all`;
  const before = said.map(([afterMs, code]) => `${inSeconds(afterMs)} s ${code ?? 'nothing'}`).join(', ');
  return [`${fault}: ${times} (${before})`, ...violations.map((violation) => `  ${violation}`)].join('\n');
}
