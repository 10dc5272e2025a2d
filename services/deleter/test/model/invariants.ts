import type { DeletionEvent, DeletionJob } from '../../src/deletion-job/deletion-job.js';
import { answersTo } from './perform.js';
import type { World } from './world.js';

type Check = (before: World, after: World) => boolean;

/** Nothing of the job goes on by itself. */
const still = new Set(['paused', 'cancelled', 'finished', 'failed', 'awaiting-confirmation', 'dry-run-finished']);
const outboxOf = (world: World): readonly DeletionEvent[] => world.job?.outbox ?? [];
const goneIn = (before: World, after: World): readonly string[] =>
  before.past.deleted === after.past.deleted ? [] : after.past.deleted;

/** What is true of every step. Each tells whether it holds. */
export const invariants = {
  'no record goes once the job is paused or at its end': (before, after) =>
    goneIn(before, after).length === 0 || !still.has(after.job?.state ?? ''),

  'nothing goes that nobody confirmed, and nothing of a dry run': (before, after) => {
    if (goneIn(before, after).length === 0) return true;
    const told = new Set([...outboxOf(after), ...after.eventStore].map(({ type }) => type));
    if (told.has('DryRunFinished')) return false;
    return !told.has('ConfirmationAwaited') || after.job?.answered.some((id) => id.startsWith('confirm-')) === true;
  },

  'only what the standing plan names goes': (before, after) => {
    if (goneIn(before, after).length === 0) return true;
    const planned = new Set(before.job?.lanes[0].plan?.records.map((record) => String(record.id)));
    return Object.keys(before.records).every((id) => id in after.records || planned.has(id));
  },

  'no key is nowhere': (before, after) => {
    const { records, job, eventStore, heard, past } = after;
    if (before.job === job && before.records === records && before.eventStore === eventStore) return true;
    if (past.owed.length === 0) return true;
    const known = new Set(Object.values(records).flat());
    for (const planned of job?.lanes[0].plan?.records ?? []) for (const key of planned.keys) known.add(key);
    for (const key of toldKeys([...outboxOf(after), ...eventStore, ...heard])) known.add(key);
    return past.owed.every((key) => known.has(key));
  },

  'no told key is referred to': (before, after) => {
    if (before.job === after.job && before.records === after.records) return true;
    const told = new Set(toldKeys([...outboxOf(after), ...after.eventStore]));
    return !Object.values(after.records).some((keys) => keys.some((key) => told.has(key)));
  },

  'succeeded is what is gone, each once': ({ job: old, records }, { job, past, records: left, eventStore }) => {
    if (!job || (old === job && records === left)) return true;
    const planned = new Set(job.lanes[0].plan?.records.map((record) => String(record.id)));
    const settled = past.deleted.filter((id) => !planned.has(id));
    const events = new Map([...eventStore, ...job.outbox].map((event) => [event.id, event]));
    const counts = [...events.values()].map((event) => (event.type === 'BatchDeleted' ? event.data.count : 0));
    const told = counts.reduce((sum, count) => sum + count, 0);
    const { succeeded } = job.totals;
    if (past.taken.length + past.put.length === 0) return told === succeeded && succeeded === settled.length;
    // What the application took while it was planned is gone, too; what it put back before the look stands.
    const least = settled.filter((id) => !past.put.includes(id)).length;
    return told === succeeded && least <= succeeded && succeeded <= past.deleted.length + past.taken.length;
  },

  'totals never decrease': ({ job: old }, { job }) =>
    !old ||
    !job ||
    old === job ||
    (Object.keys(old.totals) as (keyof DeletionJob['totals'])[]).every((name) => old.totals[name] <= job.totals[name]),

  'one event a sequence, without gaps': (before, after) => {
    if (before.job === after.job && before.eventStore === after.eventStore && before.heard === after.heard) return true;
    const events = new Map<number, DeletionEvent>();
    for (const event of [...outboxOf(after), ...after.eventStore, ...after.heard]) {
      if (event.sequence === undefined) continue;
      const known = events.get(event.sequence);
      if (known && known !== event && JSON.stringify(known) !== JSON.stringify(event)) return false;
      events.set(event.sequence, event);
    }
    return events.size === (after.job?.sequence ?? 0);
  },

  'an answered request has one answer': (before, { job, eventStore }) => {
    if (!job || before.job === job) return true;
    const answers = new Map([...eventStore, ...job.outbox].map((event) => [event.id, answersTo(event)]));
    const said = [...answers.values()].filter((id) => id !== null);
    const asked = job.answered.filter((id) => id.includes('-') && !id.includes(':'));
    return new Set(asked).size === asked.length && said.sort().join() === asked.sort().join();
  },

  'what is refused takes no effect': ({ job: old, past }, { job, past: now }) =>
    (old === job && past === now) || !now.refused.some((id) => job?.answered.includes(id)),

  'cancelling ends cancelled': ({ job: old }, { job }) =>
    old?.state !== 'cancelling' || job?.state === 'cancelling' || job?.state === 'cancelled',

  'a failure stands in the plan before it is noted, or was told': (before, after) => {
    if (before.job === after.job && before.failures === after.failures) return true;
    const known = new Set(after.job?.lanes[0].plan?.failures.map(({ id }) => id));
    for (const id of toldFailures(after)) known.add(id);
    return after.failures.every(({ id }) => known.has(id));
  },

  'a finished job leaves nothing but failures, each told once': ({ job: old }, after) => {
    const { job, records, past } = after;
    if (!job || old === job || job.state !== 'finished' || past.put.length > 0) return true;
    const told = toldFailures(after);
    const left = Object.keys(records);
    return (
      told.length === new Set(told).size && told.length === job.totals.failed && left.every((id) => told.includes(id))
    );
  },

  'no plan outlives its job': ({ job: old }, { job }) =>
    !job || old === job || !still.has(job.state) || job.lanes[0].plan === null,
} satisfies Record<string, Check>;

export const REST = 'rest can be reached';
export type Invariant = keyof typeof invariants | typeof REST;

const toldKeys = (events: readonly DeletionEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'BatchDeleted' ? [...event.data.objectKeys, ...event.data.retained] : []));

function toldFailures(world: World): string[] {
  const events = new Map([...world.eventStore, ...outboxOf(world)].map((event) => [event.id, event]));
  return [...events.values()].flatMap((event) =>
    event.type === 'BatchDeleted' ? event.data.failures.map(({ id }) => String(id)) : [],
  );
}

/** Nothing is left to do: the job is at rest, every message is handled, and everything was heard. */
export function isRest(world: World, asked: readonly string[]): boolean {
  const { job, workers, slices, requests, lostRequests, deletes, queued, heard, eventStore, past } = world;
  if (!job || job.outbox.length > 0 || job.pending !== null || !still.has(job.state)) return false;
  const isIdle = workers.every((worker) => worker.at === null) && deletes.length === 0;
  const isRead = slices.length + requests.length + lostRequests.length + queued.length === 0;
  const told = new Set([...past.refused, ...heard.map(answersTo)]);
  return isIdle && isRead && heard.length === eventStore.length && asked.every((id) => told.has(id));
}
