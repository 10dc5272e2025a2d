import type { ControlRequest } from '@expunge/contracts';
import type { DeletionState } from './deletion-job.js';

export type ControlType = ControlRequest['type'];

/** What a request makes of a job: its state until the answer, the state with the answer, and why that is allowed. */
export interface Edge {
  during: DeletionState;
  to: DeletionState;
  why: string;
}

/** Every request that takes effect, by the state it finds. What is not here is refused, with the words of `refusals`. */
export const transitions: Record<DeletionState, Partial<Record<ControlType, Edge>>> = {
  'awaiting-confirmation': {
    ConfirmRequested: { during: 'awaiting-confirmation', to: 'running', why: 'somebody has seen how many will go' },
    CancelRequested: { during: 'cancelling', to: 'cancelled', why: 'nothing has gone, and nothing will' },
    RateChangeRequested: {
      during: 'awaiting-confirmation',
      to: 'awaiting-confirmation',
      why: 'it holds once the job is confirmed',
    },
  },
  'dry-run-finished': {},
  running: {
    PauseRequested: { during: 'pausing', to: 'paused', why: 'the batch under way ends first; then no record goes' },
    CancelRequested: { during: 'cancelling', to: 'cancelled', why: 'what is gone stays gone; nothing else goes' },
    RateChangeRequested: { during: 'running', to: 'running', why: 'a rate may be needed most while the job runs' },
  },
  pausing: {
    CancelRequested: {
      during: 'cancelling',
      to: 'cancelled',
      why: 'a cancel waits for nobody; the pause is superseded',
    },
  },
  paused: {
    ResumeRequested: { during: 'paused', to: 'running', why: 'it goes on at its cursor' },
    CancelRequested: { during: 'cancelling', to: 'cancelled', why: 'it need not be resumed to be ended' },
    RateChangeRequested: { during: 'paused', to: 'paused', why: 'it holds once the job is resumed' },
  },
  cancelling: {},
  cancelled: {
    RetryRequested: {
      during: 'cancelled',
      to: 'cancelled',
      why: 'purges that failed are asked for again; no record is',
    },
  },
  finished: {
    RetryRequested: { during: 'finished', to: 'running', why: 'what was left is looked for again, in both stores' },
  },
  failed: {
    RetryRequested: { during: 'failed', to: 'running', why: 'it goes on at its cursor, with attempts from the front' },
    CancelRequested: {
      during: 'cancelling',
      to: 'cancelled',
      why: 'nobody is to retry it, and a retry may be pending',
    },
  },
};

/** Why a state refuses what it has no edge for, to whoever asked. */
export const refusals: Record<DeletionState, string> = {
  'awaiting-confirmation': 'the job waits to be confirmed, and deletes nothing before',
  'dry-run-finished': 'a dry run deletes nothing; create a job with `based_on`',
  running: 'the job is running',
  pausing: 'the job is about to be paused',
  paused: 'the job is paused',
  cancelling: 'the job is about to be cancelled',
  cancelled: 'the job is cancelled: what it has not deleted stays',
  finished: 'no record of the job is left to delete',
  failed: 'the job has failed; it can be retried',
};
