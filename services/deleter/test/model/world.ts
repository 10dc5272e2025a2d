import type { RecordFailure } from '@expunge/contracts';
import type { DeletionEvent, DeletionJob, Plan } from '../../src/deletion-job/deletion-job.js';
import type { Call } from './calls.js';
import type { Control } from './requests.js';
import type { Stage } from './stage.js';

/** Everything there is: stores, broker, workers, and what happened so far that no store tells. Never changed in place. */
export interface World {
  /** Of the records server, in ticks; see clock.ts. */
  clock: number;
  job: DeletionJob | null;
  /** Live records and the keys they refer to. */
  records: Readonly<Record<string, readonly string[]>>;
  /** Deletes that were sent; the server goes on with them though their worker died. */
  deletes: readonly Delete[];
  failures: readonly RecordFailure[];
  eventStore: readonly DeletionEvent[];
  /** Confirmed by the broker, not yet read by anybody. */
  queued: readonly DeletionEvent[];
  /** Read, and kept for good. */
  heard: readonly DeletionEvent[];
  slices: readonly SliceMessage[];
  /** Messages of requests, by id. */
  requests: readonly string[];
  /** Of those, lost with their queue. */
  lostRequests: readonly string[];
  workers: readonly Worker[];
  /** What may still go wrong, or be done by the application. */
  budget: Budget;
  past: Past;
}

export interface Budget {
  crashes: number;
  /** Ticks that pass while a living worker has a plan in hand. */
  freezes: number;
  /** Slice messages lost with their queue. */
  lostSlices: number;
  lostRequests: number;
  /** Messages that come twice: of a slice, or of a request that was handled. */
  repeats: number;
  /** Times the queue of events is emptied unread. */
  purges: number;
  /** Changes by the application. */
  edits: number;
}

/** What no store tells. */
export interface Past {
  /** Keys of records that this job deleted: each must stay known. */
  owed: readonly string[];
  /** Records this job deleted, by id, once for each time. */
  deleted: readonly string[];
  /** Records that the application took away, and that it put back. */
  taken: readonly string[];
  put: readonly string[];
  /** Requests refused, without a step of the job. */
  refused: readonly string[];
  /** Requests whose message was handled to its end. */
  handled: readonly string[];
  /** How many keys and records the application made. */
  made: number;
}

export interface SliceMessage {
  turn: number;
  seen: string | null;
}

export type Message = { slice: SliceMessage } | { request: string };

/** A worker between two calls: all it knows follows from its stage, what that began with, and the answers since. */
export interface Worker {
  name: string;
  /** Grows with each crash: another process. */
  life: number;
  at: At | null;
}

export interface At {
  message: Message;
  stage: Stage;
  answers: readonly unknown[];
  /** The call it is about to make; null: nothing but to acknowledge. */
  next: Call | null;
}

export interface Delete {
  /** Null: dead. */
  worker: string | null;
  plan: Plan;
  /** How many of its records the server has been at. */
  position: number;
  deleted: number;
  done: 'no' | 'yes' | 'out-of-time' | 'refused';
}

export interface Size {
  records: Record<string, string[]>;
  batchSize: number;
  /** Steps of one slice. */
  steps: number;
  requests: Control[];
  /** Whether DeleteRequested is still to arrive. */
  from: 'request' | 'running';
  /** What its request comes to, if not to a deletion at once. */
  begins?: Begins;
  budget: Partial<Budget>;
  edits?: Edit[];
  /** Records the server never deletes. */
  refuses?: string[];
  /** Starts before, that ended with their workers. */
  strikes?: number;
  workers?: number;
}

export type Begins = 'unconfirmed' | 'dry-run';

/** `put`: the id again, with another key. */
export type Edit = 'gain' | 'lose' | 'take' | 'put';

export interface Move {
  label: string;
  after: World;
  /** Part of what goes on by itself once nothing goes wrong any more. */
  isProgress: boolean;
}
