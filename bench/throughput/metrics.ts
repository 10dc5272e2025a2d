/** Samples of one metric in Prometheus' text format, over all of their labels but `le`. */
export function sampled(texts: readonly string[], name: string): number {
  return samples(texts, name).reduce((sum, { value }) => sum + value, 0);
}

/** How many were at most so long, by the greatest length in seconds; cumulative. */
export type Buckets = ReadonlyMap<number, number>;

export function bucketsOf(texts: readonly string[], name: string): Buckets {
  const counts = new Map<number, number>();
  for (const { labels, value } of samples(texts, `${name}_bucket`)) {
    const most = /\ble="([^"]+)"/.exec(labels)?.[1] ?? '';
    const le = most === '+Inf' ? Infinity : Number(most);
    counts.set(le, (counts.get(le) ?? 0) + value);
  }
  return counts;
}

/**
 * As Prometheus' histogram_quantile has it, of what came between two looks: within a bucket evenly spread, and no more
 * than the greatest finite bound. NaN when nothing came. Seconds.
 */
export function quantileBetween(before: Buckets, after: Buckets, share: number): number {
  const bounds = [...after.keys()].sort((a, b) => a - b);
  const counts = bounds.map((le) => (after.get(le) ?? 0) - (before.get(le) ?? 0));
  const total = counts.at(-1) ?? 0;
  if (total === 0) return Number.NaN;
  const rank = share * total;
  const at = counts.findIndex((count) => count >= rank);
  const [low, high] = [bounds[at - 1] ?? 0, bounds[at] ?? Infinity];
  if (high === Infinity) return low;
  const below = counts[at - 1] ?? 0;
  return low + ((high - low) * (rank - below)) / ((counts[at] ?? 0) - below);
}

function samples(texts: readonly string[], name: string): { labels: string; value: number }[] {
  const pattern = new RegExp(`^${name}(\\{[^}]*\\})? ([\\d.e+-]+)`, 'gm');
  return texts.flatMap((text) =>
    Array.from(text.matchAll(pattern), ([, labels = '', value]) => ({ labels, value: Number(value) })),
  );
}
