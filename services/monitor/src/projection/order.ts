/** Instants may be written with and without fractions, so that they compare as instants, then as text. */
export function compareTimes(a: string, b: string): number {
  // Of the same form, text and instant are in the same order; nearly all times are.
  if (a.length === b.length && a.endsWith('Z') && b.endsWith('Z')) return compareText(a, b);
  return Date.parse(a) - Date.parse(b) || compareText(a, b);
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function laterOf(a: string | null, b: string): string {
  return a === null || compareTimes(a, b) < 0 ? b : a;
}

export function earlierOf(a: string, b: string): string {
  return compareTimes(a, b) <= 0 ? a : b;
}

interface Happening {
  at: string;
  id: string;
}

export function compareHappenings(a: Happening, b: Happening): number {
  return compareTimes(a.at, b.at) || compareText(a.id, b.id);
}

/** The later of two; the one there is while the other is not. */
export function lastOf<T extends Happening>(known: T | null, heard: T): T {
  return known === null || compareHappenings(known, heard) < 0 ? heard : known;
}

/** What has the greater sequence: the deleter's word that it said last. */
export function latest<T extends { sequence: number }>(known: T | null, heard: T): T {
  return known === null || known.sequence < heard.sequence ? heard : known;
}

/**
 * A sorted set that keeps the first `limit` elements only. Those of a set do not depend on the order in which its
 * elements came, as long as `compare` looks at nothing that changes and calls only equal elements equal.
 */
export function keepFirst<T>(kept: T[], more: T[], compare: (a: T, b: T) => number, limit: number): T[] {
  const sorted = [...kept, ...more].sort(compare);
  return sorted.filter((element, i) => i === 0 || compare(sorted[i - 1] as T, element) !== 0).slice(0, limit);
}
