import type { Edit, Move, Size, World } from './world.js';

/** What the application that owns the records does meanwhile. A key is written once. */
export function edits(world: World, size: Size): Move[] {
  const { budget, records, past } = world;
  if (budget.edits === 0) return [];
  const allowed = new Set<Edit>(size.edits);
  const found: Move[] = [];
  const edit = (label: string, change: Partial<World>) => {
    const after = { ...world, ...change, budget: { ...budget, edits: budget.edits - 1 } };
    found.push({ label, after, isProgress: false });
  };
  const made = { ...past, made: past.made + 1 };
  for (const id of Object.keys(size.records)) {
    const keys = records[id];
    if (!keys) {
      const put = { ...made, put: [...past.put, id].sort() };
      if (allowed.has('put'))
        edit(`${id} is put again`, { records: sorted(records, id, [`new-${made.made}`]), past: put });
      continue;
    }
    if (allowed.has('gain')) {
      edit(`${id} gains a key`, { records: sorted(records, id, [...keys, `new-${made.made}`]), past: made });
    }
    if (allowed.has('lose') && keys.length > 0) {
      edit(`${id} loses its last key`, { records: sorted(records, id, keys.slice(0, -1)) });
    }
    if (allowed.has('take')) {
      const { [id]: _, ...left } = records;
      edit(`${id} is taken`, { records: left, past: { ...past, taken: [...past.taken, id].sort() } });
    }
  }
  return found;
}

/** In the order of ids, so that the same records are the same state. */
const sorted = (records: World['records'], id: string, keys: string[]): World['records'] =>
  Object.fromEntries(Object.entries({ ...records, [id]: keys }).sort(([a], [b]) => (a < b ? -1 : 1)));
