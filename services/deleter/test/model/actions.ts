import { type DeletionJob, isActive, type Plan } from '../../src/deletion-job/deletion-job.js';
import { ageOf } from './clock.js';
import { edits } from './application.js';
import { merged } from './perform.js';
import type { Rules } from './rules.js';
import { goOn } from './server.js';
import { back, become, begin, step } from './worker.js';
import type { Budget, Message, Move, Size, Worker, World } from './world.js';

export function moves(world: World, size: Size, rules: Rules): Move[] {
  const found: Move[] = [];
  const progress = (label: string, after: World | null) => {
    if (after) found.push({ label, after, isProgress: true });
  };
  for (const worker of world.workers) {
    if (worker.at) progress(`${worker.name} ${worker.at.next?.do ?? 'ack'}`, step(world, worker, size, rules));
  }
  for (const worker of idle(world)) {
    for (const [message, left] of messages(world)) {
      const what = 'slice' in message ? `slice of turn ${message.slice.turn}` : message.request;
      progress(`${worker.name} takes ${what}`, begin(left, worker, message, size, rules));
    }
  }
  for (const one of world.deletes) progress(`server deletes for ${one.plan.owner}`, goOn(world, one, size, rules));
  const { ofLiving, ofOthers } = young(world);
  if (ofOthers && !ofLiving) progress('tick', { ...world, clock: world.clock + 1 });
  const { job } = world;
  if (job && rules.watches(job) && isForgotten(world, job)) progress('watchdog', nudge(world, job));
  if (world.lostRequests.length > 0) {
    progress('monitor asks again', {
      ...world,
      requests: [...world.requests, ...world.lostRequests].sort(),
      lostRequests: [],
    });
  }
  if (world.queued.length > 0) {
    progress('events are read', { ...world, queued: [], heard: merged(world.heard, world.queued) });
  }
  if (size.budget.purges !== undefined && world.queued.length === 0 && world.eventStore.length > world.heard.length) {
    progress('events are driven again', { ...world, heard: merged(world.heard, world.eventStore) });
  }
  found.push(...faults(world), ...edits(world, size));
  return found.map((move) => ({ ...move, after: withoutDeadCopies(move.after) }));
}

/** Of slice messages that will never be live again, one says all. */
function withoutDeadCopies(world: World): World {
  const turn = world.job?.lanes[0].turn ?? 0;
  const dead = world.slices.filter((message) => message.turn < turn);
  if (dead.length < 2) return world;
  return { ...world, slices: [...dead.slice(0, 1), ...world.slices.filter((message) => message.turn >= turn)] };
}

/** Of several idle workers of which the job knows nothing, one stands for all. */
function idle(world: World): Worker[] {
  const all = world.workers.filter((worker) => worker.at === null);
  const lane = world.job?.lanes[0];
  return lane?.holder || lane?.plan ? all : all.slice(0, 1);
}

/** Each different message in a queue, and the world without it. */
function messages(world: World): [Message, World][] {
  const found = new Map<string, [Message, World]>();
  world.slices.forEach((slice, i) => {
    const left = { ...world, slices: world.slices.filter((_, at) => at !== i) };
    found.set(`${slice.turn} ${slice.seen ?? ''}`, [{ slice }, left]);
  });
  world.requests.forEach((request, i) => {
    found.set(request, [{ request }, { ...world, requests: world.requests.filter((_, at) => at !== i) }]);
  });
  return [...found.values()];
}

/** Plans that time makes a difference to; those of a worker that lives, and is in time unless it freezes, apart. */
function young(world: World): { ofLiving: boolean; ofOthers: boolean } {
  const isYoung = (plan: Plan | null | undefined) => !!plan && ageOf(plan, world.clock) < 2;
  const ofLiving = world.workers.some(({ at }) => {
    if (!at) return false;
    const { stage, next } = at;
    if (stage.part === 'batches' && isYoung(stage.job.lanes[0].plan)) return true;
    return next?.do === 'write' && isYoung(next.job.lanes[0].plan);
  });
  const ofOthers = isYoung(world.job?.lanes[0].plan) || world.deletes.some((one) => isYoung(one.plan));
  return { ofLiving, ofOthers };
}

const nudge = (world: World, job: DeletionJob): World => ({
  ...world,
  slices: [...world.slices, { turn: job.lanes[0].turn, seen: null }],
});

/** Nobody is at work, and no message would bring anybody to it. Looked at too early, it is a repetition. */
const isForgotten = ({ slices, workers }: World, { lanes: [{ turn }] }: DeletionJob): boolean =>
  workers.every(({ at }) => at === null) && !slices.some((message) => message.turn === turn);

function faults(world: World): Move[] {
  const { budget, job } = world;
  const found: Move[] = [];
  const fault = (kind: keyof Budget, label: string, after: World) => {
    if (budget[kind] === 0) return;
    found.push({ label, after: { ...after, budget: { ...budget, [kind]: budget[kind] - 1 } }, isProgress: false });
  };
  for (const worker of world.workers) {
    if (!worker.at) continue;
    const deletes = world.deletes
      .map((one) => (one.worker === worker.name ? { ...one, worker: null } : one))
      .filter((one) => one.worker !== null || one.done === 'no');
    const dead = { ...worker, life: worker.life + 1, at: null };
    fault('crashes', `${worker.name} dies`, become({ ...back(world, worker.at.message), deletes }, dead));
  }
  for (const [message, left] of messages(world)) {
    if ('slice' in message) fault('lostSlices', `slice of turn ${message.slice.turn} is lost`, left);
    else {
      const { request } = message;
      fault('lostRequests', `${request} is lost`, { ...left, lostRequests: [...left.lostRequests, request].sort() });
    }
  }
  if (job && isActive(job.state)) fault('repeats', 'slice comes twice', nudge(world, job));
  for (const request of world.past.handled) {
    if (!world.requests.includes(request)) fault('repeats', `${request} comes again`, back(world, { request }));
  }
  if (young(world).ofLiving) fault('freezes', 'tick', { ...world, clock: world.clock + 1 });
  if (world.queued.length > 0) fault('purges', 'queue of events is purged', { ...world, queued: [] });
  return found;
}
