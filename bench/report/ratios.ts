import type { Recorded } from '../results.js';
import type { Contestant, Run } from '../throughput/run.js';

export interface Ratio {
  min: number;
  median: number;
  max: number;
}

export interface Ratios {
  /** Records a second of Expunge with one deleter to those of the floor, in the same turn, the bucket answering at once. */
  to_floor: Record<`files_${number}`, Ratio | null>;
  /** The same with two deleters. */
  to_floor_with_2_deleters: Record<`files_${number}`, Ratio | null>;
  to_original: Record<`files_${number}`, Ratio | null>;
  /** What a job with files keeps of its records a second when the bucket answers after 50 ms instead of at once. */
  remote_to_instant: Record<`files_${number}`, Ratio | null>;
  /** The time of many small jobs at once to that of one with as many records. */
  many_to_one: Ratio | null;
}

export const throughputRuns = (runs: readonly Recorded[]): Run[] =>
  runs.filter(({ name }) => name === 'throughput').map((run) => run as unknown as Run);

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [below, above] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return ((below ?? Number.NaN) + (above ?? Number.NaN)) / 2;
}

/** Null of nothing. */
export function spreadOf(values: readonly number[]): Ratio | null {
  if (values.length === 0) return null;
  const [min, middle, max] = [Math.min(...values), median(values), Math.max(...values)].map(
    (value) => Math.round(value * 1000) / 1000,
  );
  return { min: min ?? 0, median: middle ?? 0, max: max ?? 0 };
}

type Wanted = Partial<Pick<Run, 'contestant' | 'bucket' | 'files'>>;

export const select = (runs: readonly Run[], wanted: Wanted): Run[] =>
  runs.filter((run) => Object.entries(wanted).every(([field, value]) => run[field as keyof Wanted] === value));

/** Of those to these, each with that of its own turn. */
function paired(runs: readonly Run[], those: Wanted, these: Wanted): number[] {
  const others = select(runs, these);
  return select(runs, those).flatMap((run) => {
    const other = others.find(({ turn }) => turn === run.turn);
    return other ? [run.records_per_second / other.records_per_second] : [];
  });
}

export function ratiosOf(recorded: readonly Recorded[]): Ratios {
  const runs = throughputRuns(recorded);
  const by = (files: readonly number[], ratio: (files: number) => number[]) =>
    Object.fromEntries(files.map((n) => [`files_${n}`, spreadOf(ratio(n))]));
  const against = (those: Contestant, these: Contestant) => (files: number) =>
    paired(runs, { contestant: those, bucket: 'instant', files }, { contestant: these, bucket: 'instant', files });
  const keeps = (files: number) =>
    paired(
      runs,
      { contestant: 'expunge-1', bucket: 'remote', files },
      { contestant: 'expunge-1', bucket: 'instant', files },
    );
  const pairs = recorded.filter(({ name }) => name === 'many-to-one').map(({ ratio }) => Number(ratio));
  return {
    to_floor: by([0, 1, 3], against('expunge-1', 'floor')),
    to_floor_with_2_deleters: by([0, 1, 3], against('expunge-2', 'floor')),
    to_original: by([0, 1, 3], against('expunge-1', 'original')),
    remote_to_instant: by([1, 3], keeps),
    many_to_one: spreadOf(pairs),
  };
}
