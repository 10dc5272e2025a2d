import type { AsOf, NotChecked, QueueView, WorkerHeartbeat } from '@expunge/contracts';
import type { JobProjection } from '../projection/job.js';
import type { BrokerView } from '../topology/broker-view.js';
import type { Paces } from '../topology/paces.js';

type Beat = WorkerHeartbeat['data'];

/** What a verdict may rest on, gathered beforehand. */
export interface Circumstances {
  now: Date;
  broker: BrokerView;
  queues: readonly QueueView[];
  paces: Paces;
  /** Every instance heard of in the last minutes, last words included. */
  workers: readonly KnownWorker[];
  /** Last words of those that ended by an error in the last minutes, whether they run again or not. */
  ends: readonly KnownWorker[];
  asOf: AsOf;
  /** The fold's lag without the events in `unfoldable`, which concern their own jobs alone. */
  lagOfOthersMs: number | null;
  /** Events that the folding instance could not fold, by job. */
  unfoldable: ReadonlyMap<string, Unfoldable>;
  /** What lies in parking queues, by job. */
  parked: ReadonlyMap<string, readonly ParkedSeen[]>;
  notChecked: readonly NotChecked[];
  /** Whose objects are in a bucket of their own, not in the one that storage-cleaners' readiness is about. */
  resourcesWithBucket: ReadonlySet<string>;
}

export interface KnownWorker {
  beat: Beat;
  /** By the database's clock. */
  heardAt: string;
  ageMs: number;
}

export interface Unfoldable {
  event: string;
  message: string;
  since: string;
}

export interface ParkedSeen {
  queue: string;
  type: string | null;
  reason: string;
  at: string | null;
}

/** A job and when the monitor last heard of progress with its records and with its objects. */
export interface JobInQuestion {
  job: JobProjection;
  movedAt: { records: Date; objects: Date };
}

/** A heartbeat goes out every 5 s: whoever is silent for longer missed one at least. */
export const SILENT_AFTER_MS = 8_000;
/** Nothing heard of a part of a job for so long: it stands, and there must be a reason. */
export const QUIET_AFTER_MS = 5_000;
/** Longer than any one step takes by design. */
export const HANGS_AFTER_MS = 6_000;

export const isFresh = ({ ageMs, beat }: KnownWorker): boolean => ageMs <= SILENT_AFTER_MS && beat.state !== 'exiting';
export const workersOf = ({ workers }: Circumstances, service: string): KnownWorker[] =>
  workers.filter(({ beat }) => beat.service === service);
export const nameOf = ({ beat }: KnownWorker): string => `${beat.service}@${beat.instance}`;
export const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
