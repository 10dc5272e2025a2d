import type { RecordFailure } from '@expunge/contracts';
import type { DeletionEvent, DeletionJob, DeletionState, Pending, Plan } from '../../src/deletion-job/deletion-job.js';
import type { ModelPage, Stage } from './stage.js';

/** One call to a store or the broker: what is between two of them cannot be interrupted, and nothing else can. */
export type Call =
  | { do: 'read' }
  | { do: 'insert'; job: DeletionJob }
  | { do: 'write'; job: DeletionJob }
  | {
      do: 'fence';
      job: DeletionJob;
      request: string;
      pending: Pending | null;
      during: DeletionState;
      refusal: DeletionEvent | null;
    }
  | { do: 'append'; events: DeletionEvent[] }
  | { do: 'publish'; events: DeletionEvent[] }
  | { do: 'send'; turn: number; seen: string | null }
  | { do: 'page'; cursor: string | null; limit: number | null }
  | { do: 'delete'; plan: Plan }
  | { do: 'answer-of-delete'; plan: Plan }
  | { do: 'standing'; plan: Plan }
  | { do: 'referred'; plan: Plan }
  | { do: 'add-failures'; failures: RecordFailure[] }
  | { do: 'refuse'; request: string }
  | { do: 'tell-again'; request: string }
  /** The records server's clock, as it is carried on: takes no time. */
  | { do: 'clock' };

/** A handler as it stands in the services, each `await` of a call a `yield`. Ends with its next stage, or with nothing. */
export type Steps<Result> = Generator<Call, Result, unknown>;
export type Handler = Steps<Stage | undefined>;

export function* read(): Steps<DeletionJob | null> {
  return (yield { do: 'read' }) as DeletionJob | null;
}

export function* insert(job: DeletionJob): Steps<boolean> {
  return (yield { do: 'insert', job }) as boolean;
}

export function* fence(
  job: DeletionJob,
  fenced: Omit<Call & { do: 'fence' }, 'do' | 'job'>,
): Steps<DeletionJob | null> {
  return (yield { do: 'fence', job, ...fenced }) as DeletionJob | null;
}

export function* send(turn: number, seen: string | null = null): Steps<undefined> {
  yield { do: 'send', turn, seen };
}

export function* page(cursor: string | null, limit: number | null): Steps<ModelPage> {
  return (yield { do: 'page', cursor, limit }) as ModelPage;
}

export function* clock(): Steps<number> {
  return (yield { do: 'clock' }) as number;
}

export type DeleteAnswer = 'answered' | 'perhaps-refused' | 'out-of-time' | 'refused';

export function* answerOfDelete(plan: Plan): Steps<DeleteAnswer> {
  return (yield { do: 'answer-of-delete', plan }) as DeleteAnswer;
}

export function* standing(plan: Plan): Steps<Record<string, string[]>> {
  return (yield { do: 'standing', plan }) as Record<string, string[]>;
}

export function* referred(plan: Plan): Steps<string[]> {
  return (yield { do: 'referred', plan }) as string[];
}
