/**
 * How far behind the folding instance is. It sees what it was given; of what stands in the queue before that it knows
 * only the number, so it measures how long a probe takes to pass. All times are its own clock's, in milliseconds.
 */
export interface Backlog {
  /** The last look into the queue and its tiers; null: none yet, or the broker did not tell. */
  look: Look | null;
  /** On its way through the queue, one at a time. */
  probe: { id: string; sentAt: number; confirmedAt: number | null } | null;
  /** How long the last probe took, 0 once the queue was empty; null: neither happened since this instance folds. */
  passedMs: number | null;
}

export interface Look {
  at: number;
  ready: number;
  tiers: number;
}

/** What was delivered and is not folded: since when the oldest waits, and whether any failed, so that a tier may have it. */
export interface Unfolded {
  since: number | null;
  failed: boolean;
}

export const nothingKnown: Backlog = { look: null, probe: null, passedMs: null };

/** An older look tells nothing of now. */
const LOOK_HOLDS_MS = 3000;

/**
 * | queue    | tiers    | | |
 * |----------|----------|-|-|
 * | unknown  |          | null | |
 * | empty    | empty    | 0, or since what was delivered waits | |
 * | any      | not empty, and nothing failed here | null: from another instance | until they were seen empty |
 * | messages |          | null before the first probe came back, then what the last took | or longer: since the next is on its way, since what was delivered waits |
 */
export function lagMs({ look, probe, passedMs }: Backlog, unfolded: Unfolded, now: number): number | null {
  if (look === null || now - look.at > LOOK_HOLDS_MS || passedMs === null) return null;
  if (look.tiers > 0 && !unfolded.failed) return null;
  const waits = [unfolded.since, probe?.sentAt ?? null].filter((since) => since !== null).map((since) => now - since);
  if (look.ready > 0) waits.push(passedMs);
  // 0 says that nothing waits.
  return waits.length === 0 ? 0 : Math.max(1, ...waits);
}

export function isEmpty(look: Look): boolean {
  return look.ready === 0 && look.tiers === 0;
}

export function looked(backlog: Backlog, look: Look | null): Backlog {
  if (look === null || look.ready > 0) return { ...backlog, look };
  const { probe, passedMs } = backlog;
  const confirmedAt = probe?.confirmedAt ?? Infinity;
  return {
    look,
    // One that stood in the queue and neither does now nor was delivered was purged with it.
    probe: confirmedAt < look.at ? null : probe,
    passedMs: look.tiers === 0 || passedMs !== null ? 0 : null,
  };
}

export function isProbeDue({ look, probe }: Backlog): boolean {
  return look !== null && !isEmpty(look) && probe === null;
}

export function probeSent(backlog: Backlog, id: string, now: number): Backlog {
  return { ...backlog, probe: { id, sentAt: now, confirmedAt: null } };
}

export function probeConfirmed(backlog: Backlog, id: string, now: number): Backlog {
  return backlog.probe?.id === id ? { ...backlog, probe: { ...backlog.probe, confirmedAt: now } } : backlog;
}

/** Nobody knows what it would have measured. */
export function probeFailed(backlog: Backlog, id: string): Backlog {
  return backlog.probe?.id === id ? { ...backlog, probe: null, passedMs: null } : backlog;
}

/** Probes of other instances, and of before a take-over, measure nothing. */
export function probeArrived(backlog: Backlog, id: string, now: number): Backlog {
  const { probe } = backlog;
  return probe?.id === id ? { ...backlog, probe: null, passedMs: now - probe.sentAt } : backlog;
}
