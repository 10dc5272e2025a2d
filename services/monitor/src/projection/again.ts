import { type Positions, positions } from '@expunge/contracts';
import { type PositionSet, read, written } from './position-set.js';

/** What retries have made of a batch; none was ever heard of where there is no such thing. */
export interface Again {
  /** The last retry that asked for objects of the batch; 0: what is here is of one that is not heard yet. */
  round: number;
  /** By retry: what it asked for, and what failed under it; without what was purged since. */
  asked: Record<string, PositionSet>;
  failed: Record<string, PositionSet>;
  /** Not asked for again, since a record refers to it. */
  kept: PositionSet;
  /** The retry under which the storage-cleaner promised what `retryAt` says. */
  promised: number;
}

const none: Again = { round: 0, asked: {}, failed: {}, kept: '', promised: 0 };

export const keptIn = (again: Again | undefined): Positions => read(again?.kept ?? '');
export const roundOf = (again: Again | undefined): number => again?.round ?? 0;
export const promisedIn = (again: Again | undefined): number => again?.promised ?? 0;

/** What has failed and was not asked for since; `failed`: under no retry. A position is in doubt from ask to answer. */
export function stillFailed(failed: Positions, again: Again | undefined): Positions {
  if (!again) return failed;
  const rounds = [...new Set([...Object.keys(again.asked), ...Object.keys(again.failed)].map(Number))];
  let later: Positions = [];
  let standing: Positions = [];
  for (const round of rounds.sort((a, b) => b - a)) {
    standing = positions.union(standing, positions.difference(read(again.failed[round] ?? ''), later));
    later = positions.union(later, read(again.asked[round] ?? ''));
  }
  return positions.difference(positions.union(standing, positions.difference(failed, later)), read(again.kept));
}

export function withAsked(again: Again = none, round: number, which: Positions, kept: Positions): Again {
  return {
    ...again,
    round: Math.max(again.round, round),
    asked: joined(again.asked, round, which),
    kept: written(positions.union(read(again.kept), kept)),
  };
}

export const withFailed = (again: Again = none, round: number, which: Positions): Again => ({
  ...again,
  failed: joined(again.failed, round, which),
});

export const withPromise = (again: Again = none, promised: number): Again => ({ ...again, promised });

/** Purged beats all: the object is gone, whatever was asked for or failed. */
export function withoutPurged(again: Again, purged: Positions): Again {
  const rest = (sets: Record<string, PositionSet>) =>
    Object.fromEntries(
      Object.entries(sets)
        .map(([round, set]) => [round, written(positions.difference(read(set), purged))] as const)
        .filter(([, set]) => set !== ''),
    );
  const kept = written(positions.difference(read(again.kept), purged));
  return { ...again, asked: rest(again.asked), failed: rest(again.failed), kept };
}

/** Integer keys of an object are in ascending order, whatever the order in which they came. */
const joined = (sets: Record<string, PositionSet>, round: number, which: Positions): Record<string, PositionSet> => {
  const all = written(positions.union(read(sets[round] ?? ''), which));
  return all === '' ? sets : { ...sets, [round]: all };
};
