import type {
  BatchDelayed,
  ConfirmationAwaited,
  DryRunFinished,
  JobOptions,
  JobStatus,
  Positions,
  RecordFailure,
  SelectionView,
  Severity,
  Totals,
  WireId,
} from '@expunge/contracts';
import { type Batches, noBatches } from './batch-blocks.js';
import type { PositionSet } from './position-set.js';

/**
 * A job as its events tell it: a function of the set of events folded, whatever their order and repetition.
 *
 * What the deleter says last counts: a value from it keeps the sequence it came with, and a greater one replaces it.
 * So nothing is put aside while a gap in the sequence is asked for; `heard` alone shows the gap.
 * What the storage-cleaner says is united by batch and position. Lists are bounded by keeping the first or last
 * by a key that never changes, which does not depend on the order of arrival either.
 */
export interface JobProjection {
  id: string;
  tenant: string | null;
  request: RequestFacts | null;
  traceparent: string | null;
  /** The order of lists: the time of the request, of the first event while that is not known. ISO 8601 with milliseconds. */
  listedAt: string;
  firstAt: string;
  updatedAt: string;
  status: JobStatus;
  /** Nothing more is expected, and nothing is known to be missing. */
  settled: boolean;

  /** Sequences of the deleter's events, and the last one below which none is missing. */
  heard: Positions;
  sequence: number;
  stage: Numbered<{ name: Stage; at: string }> | null;
  started: Numbered<{ instance: string; at: string; total: number | null; totalIsEstimate: boolean }> | null;
  /** Only of a job that came by there. */
  confirmation?: Numbered<Pick<ConfirmationAwaited['data'], 'total' | 'totalIsEstimate' | 'limit'>>;
  dryRun?: Numbered<Pick<DryRunFinished['data'], 'total' | 'totalIsEstimate' | 'sample'>>;
  totals: Numbered<Totals> | null;
  /** Since it was changed last; null: never. */
  rate: Numbered<{ maxRecordsPerSecond: number | null }> | null;
  worker: Numbered<{ instance: string; at: string }> | null;
  delay: Numbered<Delay> | null;
  /** The last sequence that is no delay: a delay before it is over. */
  progressedAt: number;

  batches: Batches;
  /** `kept`: after they had failed, since a record refers to them by then. */
  objects: { purged: number; failed: number; kept: number };

  /** The first ones by sequence and place in the event. */
  failures: (Placed & RecordFailure)[];
  retained: (Placed & { key: string })[];
  /** Records processed at the end of each of the last seconds in which any was. */
  recent: { second: number; processed: number }[];

  lastError: { at: string; id: string; code: string; message: string } | null;
  requests: { at: string; id: string; type: string }[];
  answers: RequestAnswer[];
  /** The deleter refused to begin. */
  refused: { at: string; id: string; reason: string; message: string } | null;
  /** With the sequence of the DeletionFinished that it completes; null where it does not say. */
  completed: {
    outcome: 'completed' | 'completed_with_residue';
    at: string;
    id: string;
    finished: number | null;
  } | null;
  /** Null until somebody has looked for what is left. */
  verification: Verification | null;
  /** The last that was said of why it does not move; `code` null: it moves. Null: nothing was said yet. */
  verdict: {
    number: number;
    code: string | null;
    severity: Severity | null;
    summary: string | null;
    at: string;
  } | null;
  /** The greatest ledger position folded. */
  position: number;
}

export type Numbered<T> = T & { sequence: number };
type Placed = { sequence: number; place: number };

export type Stage =
  | 'awaiting_confirmation'
  | 'running'
  | 'paused'
  | 'cancelled'
  /** No record is left to delete; objects may be. */
  | 'finished'
  | 'dry_run_finished'
  | 'failed';

type Delay = Pick<BatchDelayed['data'], 'cause' | 'error' | 'attempt' | 'retryAt' | 'instance'>;

export interface RequestFacts {
  /** What the deleter started outweighs what was asked for. */
  told: 'requested' | 'started';
  resource: string;
  selection: SelectionView;
  options: JobOptions;
  requestedBy: string;
  reason: string | null;
  requestedAt: string;
  /** From here on a deleter refuses it. ISO 8601 with milliseconds. */
  notAfter: string;
}

/** What was found when somebody looked, in both stores, for what the job has left. */
export interface Verification {
  /** Of the DeletionFinished it belongs to: what is said of an earlier one no longer counts. */
  finished: number;
  /** Null until the deleter has looked. */
  records: {
    left: number;
    firstLeft: WireId[];
    otherTypes: number | null;
    isComplete: boolean;
    chunks: number;
  } | null;
  /** Chunks of keys that the storage-cleaner has answered, and how many keys they had. */
  chunks: Positions;
  asked: number;
  /** By batch: objects that should be gone, and those of which the bucket would not say. */
  present: Record<string, PositionSet>;
  refused: Record<string, PositionSet>;
}

export interface RequestAnswer {
  at: string;
  id: string;
  requestId: string;
  requestType: string;
  outcome: 'applied' | 'refused';
  reason: string | null;
}

export const SAMPLE_SIZE = 20;
export const RECENT_SECONDS = 30;
/** Requests and answers a job remembers. */
export const REQUESTS_KEPT = 20;

export function firstHeardOf(id: string, at: string): JobProjection {
  return {
    id,
    tenant: null,
    request: null,
    traceparent: null,
    listedAt: at,
    firstAt: at,
    updatedAt: at,
    status: 'queued',
    settled: false,
    heard: [],
    sequence: 0,
    stage: null,
    started: null,
    totals: null,
    rate: null,
    worker: null,
    delay: null,
    progressedAt: 0,
    batches: noBatches,
    objects: { purged: 0, failed: 0, kept: 0 },
    failures: [],
    retained: [],
    recent: [],
    lastError: null,
    requests: [],
    answers: [],
    refused: null,
    completed: null,
    verification: null,
    verdict: null,
    position: 0,
  };
}
