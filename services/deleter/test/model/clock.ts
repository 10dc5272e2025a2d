import { type Plan, planDeadline } from '../../src/deletion-job/deletion-job.js';

/** A plan made in tick t may be deleted by in t, may still be under way in t + 1, and is passed in t + 2. */
const TICK_MS = 2000;

export const dateOf = (tick: number): Date => new Date(tick * TICK_MS);
export const untilOf = (tick: number): Date => new Date(tick * TICK_MS + 500);

export const mayBegin = (plan: Plan, tick: number): boolean => dateOf(tick) < plan.until;
export const isPassed = (plan: Plan, tick: number): boolean => dateOf(tick) > planDeadline(plan);

/** All that anybody can tell of a plan's age: 0, 1, or 2 and passed. */
export const ageOf = (plan: Plan, tick: number): number =>
  Math.min(2, tick - Math.floor(plan.until.getTime() / TICK_MS));

/** Of events, requests and documents, of which the model compares no times but those of requests. */
export const NOW = new Date(Date.UTC(2026, 0, 2));
/** Later than any `retryAt`: how long a wait takes is not in the model. */
export const MUCH_LATER = new Date(Date.UTC(2027, 0, 1));
/** Another time with every write, as the keeper of a document's silence needs it. */
export const writtenAt = (revision: number): Date => new Date(NOW.getTime() + revision);
