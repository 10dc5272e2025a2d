import { moves } from './actions.js';
import { type Invariant, invariants, isRest, REST } from './invariants.js';
import type { Rules } from './rules.js';
import { forget, keyOf } from './state-key.js';
import type { Size, World } from './world.js';

export interface Explored {
  states: number;
  /** The shortest way to the first violation of each. */
  violations: Map<Invariant, string[]>;
  /** False: the search ended early, at what it was looking for or at its limit. */
  isComplete: boolean;
}

const names = Object.keys(invariants) as (keyof typeof invariants)[];

/** Breadth first, each state once. */
export function explore(
  first: World,
  size: Size,
  rules: Rules,
  options: { until?: Invariant; limit?: number } = {},
): Explored {
  forget();
  const known = new Map<string, number>([[keyOf(first), 0]]);
  const parents: number[] = [-1];
  const labels: string[] = ['begin'];
  /** By state: from where it is reached by itself. */
  const origins: number[][] = [[]];
  const rests: number[] = [];
  const violations = new Map<Invariant, string[]>();
  const wayTo = (state: number): string[] => {
    const way: string[] = [];
    for (let at = state; at > 0; at = parents[at] ?? 0) way.unshift(labels[at] ?? '');
    return way;
  };
  let frontier: [number, World][] = [[0, first]];
  while (frontier.length > 0) {
    const next: [number, World][] = [];
    for (const [from, world] of frontier) {
      if (isRest(world, size.requests)) rests.push(from);
      for (const { label, after, isProgress } of moves(world, size, rules)) {
        const key = keyOf(after);
        let to = known.get(key);
        if (to === undefined) {
          to = parents.length;
          known.set(key, to);
          parents.push(from);
          labels.push(label);
          origins.push([]);
          next.push([to, after]);
        }
        if (isProgress && to !== from) origins[to]?.push(from);
        for (const name of names) {
          if (violations.has(name) || invariants[name](world, after)) continue;
          violations.set(name, [...wayTo(from), label]);
          if (name === options.until) return { states: parents.length, violations, isComplete: false };
        }
      }
      if (parents.length > (options.limit ?? Infinity))
        return { states: parents.length, violations, isComplete: false };
    }
    frontier = next;
  }
  const stuck = firstUnreached(rests, origins);
  if (stuck >= 0) violations.set(REST, wayTo(stuck));
  return { states: parents.length, violations, isComplete: true };
}

/** The first state from which no way leads to rest; -1 if there is none. */
function firstUnreached(rests: readonly number[], origins: readonly (readonly number[])[]): number {
  const reached = new Uint8Array(origins.length);
  const open = [...rests];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (reached[at]) continue;
    reached[at] = 1;
    for (const origin of origins[at] ?? []) if (!reached[origin]) open.push(origin);
  }
  return reached.indexOf(0);
}
