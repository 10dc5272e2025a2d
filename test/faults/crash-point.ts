/** Where a process ends: at its nth call of that name for a job, before it is sent or once it was answered. */
export interface CrashPoint {
  readonly call: string;
  /** From 1. A name and a number: which call is the k-th of all depends on what runs side by side. */
  readonly nth: number;
  readonly when: 'before' | 'after';
}

/** What a process under trial is told, in `<folder>/<instance>.aim`. */
export interface Aim {
  /** Its messages are under trial … */
  readonly job: string;
  /** … and the HTTP request with this Idempotency-Key. */
  readonly key: string;
  /** null: calls are noted, and the process lives. */
  readonly point: CrashPoint | null;
}

export const aimFile = (folder: string, instance: string): string => `${folder}/${instance}.aim`;
/** A call a line, in order, the last one `died …` if it was aimed at. */
export const callsFile = (folder: string, instance: string, job: string): string => `${folder}/${instance}.${job}`;

export const describe = ({ call, nth, when }: CrashPoint): string => `${when} ${call} #${nth}`;
export const died = (point: CrashPoint): string => `died ${describe(point)}`;

export const countOf = (calls: readonly string[], name: string): number => calls.filter((call) => call === name).length;

/** The calls that every recording has, each name as often as the shortest; in the order of the first. */
export function inEach(recordings: readonly (readonly string[])[]): string[] {
  const [first = [], ...others] = recordings;
  return first.filter((call, index) => {
    const nth = countOf(first.slice(0, index + 1), call);
    return others.every((other) => countOf(other, call) >= nth);
  });
}

/** Two a call: before it and after it. */
export function pointsOf(calls: readonly string[]): CrashPoint[] {
  return calls.flatMap((call, index) => {
    const nth = countOf(calls.slice(0, index + 1), call);
    return [
      { call, nth, when: 'before' as const },
      { call, nth, when: 'after' as const },
    ];
  });
}

/** How often a point is aimed at, at most. */
export const TRIES = 4;

/**
 * Where to aim after a try in which the process did not come by its point: what runs side by side makes a job take a
 * call more or less (several events in one write, an answer from a cache). Then there is no such call, and the last of
 * that name takes its place; at the last try the first, which comes in any case.
 */
export function aimedAgain(point: CrashPoint, attempt: number, calls: readonly string[]): CrashPoint {
  const made = countOf(calls, point.call);
  if (attempt === TRIES) return { ...point, nth: 1 };
  return made === 0 || made >= point.nth ? point : { ...point, nth: made };
}
