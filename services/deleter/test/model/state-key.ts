import type { DeletionEvent, DeletionJob, Plan } from '../../src/deletion-job/deletion-job.js';
import { ageOf, writtenAt } from './clock.js';
import type { At, World } from './world.js';

/** Texts that were seen, by number: keys of states stay short. */
let numbers = new Map<string, number>();
let known = new WeakMap<object, number>();

/** Before another search: its keys have nothing to do with those of the last one. */
export function forget(): void {
  numbers = new Map();
  known = new WeakMap();
}

function numberOf(text: string): number {
  const found = numbers.get(text);
  if (found !== undefined) return found;
  numbers.set(text, numbers.size);
  return numbers.size - 1;
}

/** What never changes is written out once. */
function once(value: object, text: () => string): number {
  let number = known.get(value);
  if (number === undefined) known.set(value, (number = numberOf(text())));
  return number;
}

/** Two worlds with the same text go on alike: turns, revisions and ticks count only by what they are compared with. */
export function keyOf(world: World): string {
  const { job, workers, deletes } = world;
  const to: Relation = {
    clock: world.clock,
    revision: job?.revision ?? 0,
    turn: job?.lanes[0].turn ?? 0,
  };
  const slices = world.slices.map(({ turn, seen }) => messageOf(turn, seen, to)).sort();
  return [
    job ? jobText(job, to) : '',
    numberOf(JSON.stringify(world.records)),
    once(world.failures, () => JSON.stringify(world.failures)),
    eventsOf(world.eventStore),
    eventsOf(world.queued),
    eventsOf(world.heard),
    slices.join(),
    world.requests.join(),
    world.lostRequests.join(),
    workers.map(({ life, at }) => `${life}${at ? atText(at, to) : ''}`).join('/'),
    deletes
      .map((one) => `${one.worker ?? ''}${one.position}${one.deleted}${one.done}${planText(one.plan, to)}`)
      .sort()
      .join(),
    once(world.budget, () => Object.values(world.budget).join()),
    once(world.past, () => JSON.stringify(world.past)),
  ].join('|');
}

interface Relation {
  clock: number;
  revision: number;
  turn: number;
}

/** An older turn never becomes live again. */
const messageOf = (turn: number, seen: string | null, to: Relation): string =>
  `${turn === to.turn ? 'live' : 'dead'}${seen === writtenAt(to.revision).toISOString() ? '=' : ''}`;

const eventsOf = (events: readonly DeletionEvent[]): number => once(events, () => events.map(eventText).join());

const eventText = (event: DeletionEvent): number =>
  once(event, () => JSON.stringify({ ...event, data: { ...event.data, turn: 0, attempt: 0, retryAt: 0 } }));

function jobText(job: DeletionJob, to: Relation): string {
  const [lane] = job.lanes;
  const { plan } = lane;
  const core = once(job, () =>
    JSON.stringify({
      ...job,
      request: null,
      revision: 0,
      writtenAt: 0,
      outbox: job.outbox.map(eventText),
      // How long it waits is not in the model.
      lanes: [{ ...lane, plan: null, turn: 0, attempt: 0, waiting: lane.waiting?.cause }],
    }),
  );
  // Who lost the job's place never gets it back.
  return `${core}${job.revision === to.revision ? '' : '-'}${to.turn - lane.turn}${plan ? planText(plan, to) : ''}`;
}

function planText(plan: Plan, to: Relation): string {
  const core = once(plan, () => JSON.stringify({ ...plan, owner: 0, until: 0 }));
  const [instance, turn] = plan.owner.split(':');
  return `(${core} ${instance ?? ''} ${to.turn - Number(turn)} ${ageOf(plan, to.clock)})`;
}

function atText({ message, stage, answers, next }: At, to: Relation): string {
  const what = 'slice' in message ? messageOf(message.slice.turn, message.slice.seen, to) : message.request;
  return `${what}[${valueText(stage, to)}][${answers.map((answer) => valueText(answer, to)).join()}]${next?.do ?? ''}`;
}

function valueText(value: unknown, to: Relation): string {
  if (typeof value === 'number') return `t${to.clock - value}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if ('lanes' in value) return jobText(value as DeletionJob, to);
  if ('until' in value) return planText(value as Plan, to);
  if (!('part' in value)) return String(once(value, () => JSON.stringify(value)));
  const stage = value as At['stage'];
  if (stage.part === 'message') return '';
  if (stage.part === 'fenced')
    return `f${stage.wasRefused}${planText(stage.plan, to)}${once(stage.gone, () => JSON.stringify(stage.gone))}`;
  const { job, page, step, flushed } = stage;
  return `b${step}${jobText(job, to)}${page ? valueText(page, to) : ''}${flushed.join()}`;
}
