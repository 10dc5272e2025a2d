import { isPassed } from './clock.js';
import type { Rules } from './rules.js';
import type { Delete, Size, World } from './world.js';

/** The next step of the records server at a delete: it looks at its clock as it begins, and takes record by record. */
export function goOn(world: World, one: Delete, size: Size, rules: Rules): World | null {
  if (one.done !== 'no') return null;
  if (one.position === 0 && !rules.mayBegin(one.plan, world.clock)) return put(world, one, { done: 'yes' });
  // Its maxTimeMS ends it before the deadline, whatever is left.
  if (one.position > 0 && isPassed(one.plan, world.clock)) return put(world, one, { done: 'out-of-time' });
  const { records } = one.plan;
  const id = String(records[one.position]?.id);
  const position = one.position + 1;
  const done = position === records.length ? 'yes' : 'no';
  const keys = world.records[id];
  const planned = new Set(records.flatMap((record) => record.keys));
  if (!keys || !rules.mayGo(keys, planned)) return put(world, one, { position, done });
  if (size.refuses?.includes(id)) return put(world, one, { done: 'refused' });
  const { [id]: _, ...left } = world.records;
  const past = {
    ...world.past,
    owed: [...new Set([...world.past.owed, ...keys])].sort(),
    deleted: [...world.past.deleted, id].sort(),
  };
  return put({ ...world, records: left, past }, one, { position, done, deleted: one.deleted + 1 });
}

/** Of one whose worker is dead nobody reads the answer. */
function put(world: World, one: Delete, change: Partial<Delete>): World {
  const next = { ...one, ...change };
  const others = world.deletes.filter((other) => other !== one);
  return { ...world, deletes: next.worker === null && next.done !== 'no' ? others : [...others, next] };
}
