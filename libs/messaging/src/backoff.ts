const FIRST_MS = 200;
const LONGEST_MS = 5_000;

/**
 * Before try `n + 1` of connecting, or of anything else at the broker: 0.2 s doubling to 5 s, of which up to half is
 * taken off at random, so that what fell together does not come back together.
 *
 * @param failures 1 after the first one
 * @param random in [0, 1)
 * @returns milliseconds
 */
export function backoff(failures: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(Math.max(failures - 1, 0), 10));
  return Math.round(full * (1 - random / 2));
}
