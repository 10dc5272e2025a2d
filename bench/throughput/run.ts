import { type Used, usedBetween } from './processes.js';

export const buckets = ['instant', 'remote', 'simulator'] as const;
/** `instant`: answers at once; `remote`: after 50 ms; `simulator`: Cloudflare's own, of R2. */
export type BucketKind = (typeof buckets)[number];

export const contestants = ['floor', 'original', 'expunge-1', 'expunge-2'] as const;
/** Of Expunge with the number of its deleters. */
export type Contestant = (typeof contestants)[number];

/** One deletion of one contestant, as it stands in results.json. */
export interface Run {
  contestant: Contestant;
  bucket: BucketKind;
  /** Of each record. */
  files: number;
  /** Contestants of one turn follow each other. */
  turn: number;
  records: number;
  objects: number;
  /** From the request until all is done; for Expunge: until the job is completed. */
  seconds: number;
  records_per_second: number;
  objects_per_second: number;
  first_batch_ms: number;
  /** By process. */
  cpu_seconds: Record<string, number>;
  peak_mb: Record<string, number>;
  /** By the database's engine and the broker. */
  written_bytes: { per_record: Record<string, number>; per_object: Record<string, number> };
  /** Of Expunge alone: published by all of its services, heartbeats included. */
  messages?: { per_record: number; per_object: number | null };
  /** Of Expunge alone: from an event to its fold. */
  fold_ms?: { p50: number; p99: number };
}

export type Subject = Pick<Run, 'contestant' | 'bucket' | 'files' | 'turn'>;

export interface Took {
  records: number;
  objects: number;
  seconds: number;
  firstBatchMs: number;
}

export const round = (value: number, digits = 0): number => Number(value.toFixed(digits));

/** Whose writing is told. */
const writers = ['mongodb', 'rabbitmq'];

export function runOf(subject: Subject, took: Took, before: Record<string, Used>, after: Record<string, Used>): Run {
  const { records, objects, seconds } = took;
  const used = Object.entries(usedBetween(before, after));
  const of = (value: (used: Used) => number) => Object.fromEntries(used.map(([name, one]) => [name, value(one)]));
  const written = used.filter(([name]) => writers.includes(name));
  const perOne = (count: number) =>
    Object.fromEntries(count === 0 ? [] : written.map(([name, one]) => [name, round(one.writtenBytes / count)]));
  return {
    ...subject,
    records,
    objects,
    seconds: round(seconds, 3),
    records_per_second: round(records / seconds),
    objects_per_second: round(objects / seconds),
    first_batch_ms: round(took.firstBatchMs),
    cpu_seconds: of(({ cpuSeconds }) => round(cpuSeconds, 2)),
    peak_mb: of(({ peakMb }) => peakMb),
    written_bytes: { per_record: perOne(records), per_object: perOne(objects) },
  };
}
