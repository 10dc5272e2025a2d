import type { MissingIndex, WorkerHeartbeat } from '@expunge/contracts';

type Beat = WorkerHeartbeat['data'];

/** The last sequence of each job that any deleter knows. */
export function toldSequences(beats: readonly Beat[]): Map<string, number> {
  const told = new Map<string, number>();
  for (const { sequences } of beats) {
    for (const [job, sequence] of Object.entries(sequences)) told.set(job, Math.max(sequence, told.get(job) ?? 0));
  }
  return told;
}

/** What the freshest deleter says is missing for a resource; null when it could not tell. */
export function missingIndexesOf(resource: string, freshest: Beat | null): MissingIndex[] | null {
  return freshest?.missingIndexes?.filter((missing) => missing.resource === resource) ?? null;
}
