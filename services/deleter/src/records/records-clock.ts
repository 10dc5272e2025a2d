/**
 * The records server's clock, as far as one answer of it tells. Between asking and answering lies a moment nobody
 * knows: so its time is a range, and each use takes the end that is safe.
 */
export interface RecordsClock {
  /** It is at least this late there. */
  earliest(): Date;
  /** It is at most this late there. */
  latest(): Date;
}

/** `askedAt` and `answeredAt` are of the local monotonic clock, in ms; `serverTime` is what the server said in between. */
export function clockFrom(
  reading: { askedAt: number; answeredAt: number; serverTime: Date },
  monotonic: () => number,
): RecordsClock {
  const { askedAt, answeredAt, serverTime } = reading;
  return {
    earliest: () => new Date(serverTime.getTime() + (monotonic() - answeredAt)),
    latest: () => new Date(serverTime.getTime() + (monotonic() - askedAt)),
  };
}
