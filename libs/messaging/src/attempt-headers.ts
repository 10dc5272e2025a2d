/** What the library writes into a message's headers. The envelope is in the body: headers can be dropped on the way. */
export const headerNames = {
  attempt: 'x-attempt',
  /** Attempts that ended in an error nobody expected: counted apart from the waiting for stores. */
  unexpected: 'x-unexpected',
  firstAttemptAt: 'x-first-attempt-at',
  parkedReason: 'x-parked-reason',
  parkedAt: 'x-parked-at',
  parkedFrom: 'x-queue',
  /** Tells one publish from another of the same message when the broker returns it. */
  publish: 'x-publish',
  /** The look that put a parked message in anew, which is not to see it twice. */
  look: 'x-look',
  /** The replay that put a message back; stays on all its copies, so that the same replay does not put it back twice. */
  replay: 'x-replay',
} as const;

export interface Attempts {
  /** 1 for the first. */
  attempt: number;
  /** How many attempts before this one ended in an unexpected error. */
  unexpected: number;
  /** Milliseconds since 1970. */
  firstAttemptAt: number;
}

/** Whatever anybody wrote there: what makes no sense counts as a first attempt, made now. */
export function attemptsOf(headers: Record<string, unknown> | undefined, now: number): Attempts {
  const since = headers?.[headerNames.firstAttemptAt];
  const firstAttemptAt = typeof since === 'string' ? Date.parse(since) : Number.NaN;
  return {
    attempt: wholeNumber(headers?.[headerNames.attempt], 1),
    unexpected: wholeNumber(headers?.[headerNames.unexpected], 0),
    firstAttemptAt: firstAttemptAt <= now ? firstAttemptAt : now,
  };
}

export function attemptHeaders({ attempt, unexpected, firstAttemptAt }: Attempts): Record<string, unknown> {
  return {
    [headerNames.attempt]: attempt,
    [headerNames.unexpected]: unexpected,
    [headerNames.firstAttemptAt]: new Date(firstAttemptAt).toISOString(),
  };
}

function wholeNumber(value: unknown, least: number): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? value : least;
}
