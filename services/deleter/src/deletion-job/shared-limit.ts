/** A place is given at most this far ahead: as long a slice sleeps at most, and keeps others from its worker's hands. */
export const PLACES_AHEAD_MS = 1000;

/** After this long, at most, a job without a place asks again: what others are given may change meanwhile. */
const ASKS_AGAIN_MS = 4000;

/** What is known of the places, all by the clock of the deleter's own database. */
export interface Places {
  now: Date;
  /** When the next one begins; null: none was given yet. */
  freeAt: Date | null;
}

/** Until when a job leaves its next place to others that wait: by then each of `jobs` can have had as much. */
export function yieldsUntil(begins: Date, ms: number, jobs: number): Date {
  return new Date(begins.getTime() + ms * Math.max(1, jobs));
}

/** Places are given as far ahead as may be, so that whoever asks now is sent away. */
export function isUsedUp({ now, freeAt }: Places): boolean {
  return freeAt !== null && freeAt.getTime() - now.getTime() > PLACES_AHEAD_MS;
}

/**
 * In how many ms it is worth asking for a place; 0: now.
 * @param yields until when the job leaves places that are not free at once to others; null: it does not
 */
export function msUntilAsking({ now, freeAt }: Places, yields: Date | null): number {
  const ahead = (freeAt?.getTime() ?? 0) - now.getTime();
  if (ahead <= 0) return 0;
  const forOthers = (yields?.getTime() ?? 0) - now.getTime();
  return Math.min(Math.max(0, ahead - PLACES_AHEAD_MS, forOthers), ASKS_AGAIN_MS);
}

/** Since when each place that was asked for had to be waited for, and the last time, in ms of one clock. */
export interface HeldUp {
  since: number;
  last: number;
}

/** After another place: null as soon as one was free at once, since then the limit is not what slows jobs down. */
export function heldUpAfter(before: HeldUp | null, waits: boolean, now: number): HeldUp | null {
  return waits ? { since: before?.since ?? now, last: now } : null;
}

/** How long ago a job last had to wait; null unless they all had to for a second: two may meet at any limit. */
export function heldUpMs(heldUp: HeldUp | null, now: number): number | null {
  return heldUp && heldUp.last - heldUp.since >= 1000 ? Math.round(now - heldUp.last) : null;
}
