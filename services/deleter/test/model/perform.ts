import { isDeepStrictEqual } from 'node:util';
import type { DeletionEvent, DeletionJob, Plan } from '../../src/deletion-job/deletion-job.js';
import { withLane } from '../../src/deletion-job/deletion-job.js';
import type { Call, DeleteAnswer } from './calls.js';
import { mayBegin, writtenAt } from './clock.js';
import type { ModelPage } from './stage.js';
import type { Size, World } from './world.js';

/** What a call answers, and the world after it. Undefined: it is not answered yet. */
export type Outcome = [answer: unknown, after: World] | undefined;

/** What a call does at its server. */
export function perform(world: World, worker: string, call: Call, size: Size): Outcome {
  const { job } = world;
  switch (call.do) {
    case 'clock':
      return [world.clock, world];
    case 'read':
      return [job, world];
    case 'insert':
      return job ? [false, world] : [true, { ...world, job: call.job }];
    case 'write':
      return job?.revision === call.job.revision ? replace(world, call.job) : [null, world];
    case 'fence':
      return fence(world, call);
    case 'append':
      return [null, { ...world, eventStore: merged(world.eventStore, call.events) }];
    case 'publish':
      return [null, publish(world, call.events)];
    case 'send':
      return [null, { ...world, slices: [...world.slices, { turn: call.turn, seen: call.seen }] }];
    case 'page':
      return [pageOf(world, call.cursor, Math.min(size.batchSize, call.limit ?? Infinity)), world];
    case 'delete':
      return [null, { ...world, deletes: [...world.deletes, sent(worker, call.plan)] }];
    case 'answer-of-delete':
      return answerOfDelete(world, worker, call.plan);
    case 'standing':
      return [standing(world, call.plan), world];
    case 'referred':
      return [referred(world, call.plan), world];
    case 'add-failures': {
      const known = new Set(world.failures.map((failure) => failure.id));
      const fresh = call.failures.filter((failure) => !known.has(failure.id));
      return [null, { ...world, failures: [...world.failures, ...fresh] }];
    }
    case 'refuse': {
      const refused = [...new Set([...world.past.refused, call.request])].sort();
      return [null, { ...world, past: { ...world.past, refused } }];
    }
    case 'tell-again': {
      const answers = world.eventStore.filter((event) => answersTo(event) === call.request);
      return [null, publish(world, answers)];
    }
  }
}

export const replace = (world: World, change: DeletionJob): [DeletionJob, World] => {
  const revision = change.revision + 1;
  const job = { ...change, revision, writtenAt: writtenAt(revision) };
  return [job, { ...world, job }];
};

function fence(world: World, call: Call & { do: 'fence' }): Outcome {
  const { job } = world;
  const { request, pending, during, refusal } = call;
  const asRead =
    job?.state === call.job.state &&
    !job.answered.includes(request) &&
    job.pending?.id === call.job.pending?.id &&
    isDeepStrictEqual(job.appliedAt, call.job.appliedAt);
  if (!job || !asRead) return [null, world];
  const answered = refusal?.type === 'RequestRefused' ? [...job.answered, refusal.data.requestId] : job.answered;
  const outbox = refusal ? [...job.outbox, refusal] : job.outbox;
  const fenced = withLane(job, { turn: job.lanes[0].turn + 1 });
  return replace(world, { ...fenced, state: during, pending, answered, outbox });
}

/** Events that stand there already stay as they are. */
export function merged(known: readonly DeletionEvent[], events: readonly DeletionEvent[]): readonly DeletionEvent[] {
  const fresh = events.filter(({ id }) => !known.some((event) => event.id === id));
  return fresh.length === 0 ? known : [...known, ...fresh].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Read at once, unless a queue may be lost before that. */
export function publish(world: World, events: readonly DeletionEvent[]): World {
  if (world.budget.purges === 0) return { ...world, heard: merged(world.heard, events) };
  const unread = events.filter(({ id }) => !world.heard.some((event) => event.id === id));
  return { ...world, queued: merged(world.queued, unread) };
}

export const answersTo = (event: DeletionEvent): string | null =>
  'requestId' in event.data ? event.data.requestId : null;

function pageOf({ records, failures }: World, cursor: string | null, limit: number): ModelPage {
  const ids = Object.keys(records)
    .filter((id) => cursor === null || id > cursor)
    .sort()
    .slice(0, limit);
  const left = ids.filter((id) => !failures.some((failure) => failure.id === id));
  return {
    records: left.map((id) => ({ id, keys: { readable: true, keys: [...(records[id] ?? [])] } })),
    closesAt: ids.at(-1) ?? null,
    window: null,
  };
}

const sent = (worker: string, plan: Plan) =>
  ({ worker, plan, position: 0, deleted: 0, done: 'no' }) satisfies World['deletes'][number];

function answerOfDelete(world: World, worker: string, plan: Plan): Outcome {
  const mine = world.deletes.find((one) => one.worker === worker);
  if (!mine || mine.done === 'no') return undefined;
  const deletes = world.deletes.filter((one) => one !== mine);
  const inTime = mine.deleted === plan.records.length || mayBegin(plan, world.clock);
  const { done } = mine;
  const answer: DeleteAnswer = done !== 'yes' ? done : inTime ? 'answered' : 'perhaps-refused';
  return [answer, { ...world, deletes }];
}

function standing({ records }: World, plan: Plan): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { id } of plan.records) {
    const keys = records[String(id)];
    if (keys) found[String(id)] = [...keys];
  }
  return found;
}

function referred({ records }: World, plan: Plan): string[] {
  const held = new Set(Object.values(records).flat());
  return [...new Set(plan.records.flatMap((record) => record.keys))].filter((key) => held.has(key));
}
