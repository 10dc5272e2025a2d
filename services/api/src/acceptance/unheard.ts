import type { AsOf } from '@expunge/contracts';
import type { MonitorAnswer } from '../monitors/monitors.adapter.js';
import type { Acceptance } from './acceptance.js';

/** From the confirm to the fold: a monitor that needs longer says so by its lag. */
const PATIENCE_MS = 15_000;
const LONGEST_PAUSE_MS = 600_000;
/** The folding monitor shows each second that it lives. */
const HEARTBEAT_FRESH_MS = 5000;
/** What waits at all has the age of the last sign of life added. */
const LAG_FRESH_MS = 2000;

/** Whether "not found" means that the fold was never given the job: it lives, and nothing it has waits for long. */
export function isFresh({ lagMs, monitorHeartbeatAgeMs }: AsOf): boolean {
  if (lagMs === null || monitorHeartbeatAgeMs === null) return false;
  return lagMs <= LAG_FRESH_MS && monitorHeartbeatAgeMs <= HEARTBEAT_FRESH_MS;
}

/** When a monitor is first asked about an acceptance, if the broker confirmed its message at `now`. */
export function firstLookAt(now: Date): string {
  return after(now, PATIENCE_MS);
}

export type Verdict = { do: 'mark-heard' } | { do: 'publish-again'; lookAt: string } | { do: 'leave' };

/**
 * | acceptance                  | a fresh monitor          | |
 * |-----------------------------|--------------------------|-|
 * | accepted                    | knows the job            | from here on the monitor re-drives it |
 * | accepted, due, still valid  | does not                 | the broker lost it: again, then after 15, 30, 60 … s, at most 10 minutes |
 * | accepted, past its notAfter | does not                 | left: the deleter would refuse it |
 * | pending, refused            |                          | left: nobody was told that it is accepted |
 * | any                         | refuses, does not answer | left: nobody can tell |
 */
export function verdict(acceptance: Acceptance, answer: MonitorAnswer<unknown>['kind'], now: Date): Verdict {
  const { state, lookAt, request, publishedAgain = 0 } = acceptance;
  if (state !== 'accepted') return { do: 'leave' };
  if (answer === 'answer') return { do: 'mark-heard' };
  const isDue = lookAt === undefined || Date.parse(lookAt) <= now.getTime();
  const isValid = now.getTime() < Date.parse(request.notAfter);
  if (answer !== 'not-found' || !isDue || !isValid) return { do: 'leave' };
  const pause = Math.min(PATIENCE_MS * 2 ** publishedAgain, LONGEST_PAUSE_MS);
  return { do: 'publish-again', lookAt: after(now, pause) };
}

const after = (now: Date, ms: number): string => new Date(now.getTime() + ms).toISOString();
