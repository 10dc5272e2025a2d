/**
 * How many records one batch of a job with a rate has at most. So many more may fall into a span of time than its rate
 * allows: half a second's worth is 5 % of ten seconds'.
 */
export function pacedBatchSize(batchSize: number, maxRecordsPerSecond: number | null): number {
  if (maxRecordsPerSecond === null) return batchSize;
  return Math.min(batchSize, Math.max(1, Math.floor(maxRecordsPerSecond / 2)));
}

/** How long so many records take at a rate, in whole ms: rounded up, so that the sum is never faster. */
export function msAtRate(records: number, maxRecordsPerSecond: number): number {
  return Math.ceil((records / maxRecordsPerSecond) * 1000);
}

/** When the next batch may begin, after one of `records` that had gone at `now`: from its end, since its start tells less. */
export function paceAt(maxRecordsPerSecond: number | null, records: number, now: Date): Date | null {
  if (maxRecordsPerSecond === null) return null;
  return new Date(now.getTime() + msAtRate(records, maxRecordsPerSecond));
}
