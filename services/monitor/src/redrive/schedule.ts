import type { Missing, MissingKind } from './what-is-missing.js';

/** When something was first seen missing and how often it was asked for. */
export interface Asked {
  fingerprint: string;
  since: Date;
  times: number;
  lastAt: Date | null;
}

export type Asks = Partial<Record<MissingKind, Asked>>;

const FIRST_PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 600_000;
/** The clocks of monitor and deleter need not agree to the second. */
const SHORTEST_VALIDITY_MS = 60_000;

/** 15, 30, 60 … s, at most 10 minutes: asking for ever must flood nobody. */
export function pauseAfter(times: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (times - 1), LONGEST_PAUSE_MS);
}

/** An answer that comes later than this is of no use: by then it was asked again. */
export function validUntil(times: number, now: Date): Date {
  return new Date(now.getTime() + Math.max(SHORTEST_VALIDITY_MS, pauseAfter(times)));
}

/** What to ask for now, and what to note of it. `asks` is what was noted last; what is no longer missing is forgotten. */
export function schedule(missing: Missing[], asks: Asks, now: Date): { due: Missing[]; asks: Asks } {
  const due: Missing[] = [];
  const noted: Asks = {};
  for (const one of missing) {
    const known = asks[one.kind];
    const same = known?.fingerprint === one.fingerprint;
    const seen: Asked = same
      ? known
      : { fingerprint: one.fingerprint, since: now, times: 0, lastAt: known?.lastAt ?? null };
    const isDue = isDueAt(seen, one.patienceMs, now);
    if (isDue) due.push(one);
    noted[one.kind] = isDue ? { ...seen, times: seen.times + 1, lastAt: now } : seen;
  }
  return { due, asks: noted };
}

function isDueAt({ since, times, lastAt }: Asked, patienceMs: number, now: Date): boolean {
  if (now.getTime() - since.getTime() < patienceMs) return false;
  // Something else of the same kind was asked for a moment ago: its answer may bring this too.
  return lastAt === null || now.getTime() - lastAt.getTime() >= (times === 0 ? 5000 : pauseAfter(times));
}
