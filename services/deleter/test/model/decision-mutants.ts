import { controlVerdict } from '../../src/deletion-job/control.js';
import { isActive, withLane } from '../../src/deletion-job/deletion-job.js';
import { sliceVerdict } from '../../src/deletion-job/slice-verdict.js';
import { REST } from './invariants.js';
import type { Mutant } from './mutant.js';

/** A decision that is left out, or taken otherwise. */
export const decisionMutants: Mutant[] = [
  {
    name: 'the watchdog looks at running jobs only, with DeletionFinished still in the outbox',
    wrong: { watches: (job) => isActive(job.state) },
    size: { budget: { crashes: 1, lostSlices: 1 } },
    violates: REST,
  },
  {
    name: 'a delete has no deadline, and a frozen worker wakes with a record that gained a key and lost it',
    wrong: { mayBegin: () => true },
    size: { budget: { freezes: 2, edits: 2, repeats: 1 }, edits: ['gain', 'lose'] },
    violates: 'no key is nowhere',
  },
  {
    name: 'a delete has no deadline, and a frozen worker wakes after a cancel',
    wrong: { mayBegin: () => true },
    size: { requests: ['cancel-1'], budget: { freezes: 2 } },
    violates: 'no record goes once the job is paused or at its end',
  },
  {
    name: 'a record goes though it gained a key since it was planned',
    wrong: { mayGo: () => true },
    size: { budget: { edits: 1 }, edits: ['gain'] },
    violates: 'no key is nowhere',
  },
  {
    name: 'a slice plans while the job is paused',
    wrong: {
      sliceVerdict: (job, facts) => sliceVerdict(job.state === 'paused' ? { ...job, state: 'running' } : job, facts),
    },
    size: { requests: ['pause-1'], budget: { crashes: 1 } },
    violates: 'no record goes once the job is paused or at its end',
  },
  {
    name: 'a job that nobody confirmed has turns',
    wrong: {
      hasTurns: () => true,
      sliceVerdict: (job, facts) =>
        sliceVerdict(job.state === 'awaiting-confirmation' ? { ...job, state: 'running' } : job, facts),
    },
    size: { from: 'request', begins: 'unconfirmed', requests: ['confirm-1'] },
    violates: 'nothing goes that nobody confirmed, and nothing of a dry run',
  },
  {
    name: 'a dry run can be resumed',
    wrong: {
      controlVerdict: (job, request) =>
        job.state === 'dry-run-finished' && request.type === 'ResumeRequested'
          ? controlVerdict({ ...job, state: 'paused' }, request)
          : controlVerdict(job, request),
    },
    size: { from: 'request', begins: 'dry-run', requests: ['resume-1'] },
    violates: 'nothing goes that nobody confirmed, and nothing of a dry run',
  },
  {
    name: 'a pause displaces a pending cancel',
    wrong: {
      controlVerdict: (job, request) =>
        job.state === 'cancelling' && job.pending?.type === 'CancelRequested' && request.type === 'PauseRequested'
          ? { do: 'fence', during: 'pausing', displaces: job.pending }
          : controlVerdict(job, request),
    },
    size: { requests: ['cancel-1', 'pause-2'] },
    violates: 'cancelling ends cancelled',
  },
  {
    name: 'a refusal is published and nowhere noted',
    wrong: { notesRefusals: false },
    size: { requests: ['pause-1', 'resume-2'], budget: { crashes: 1 } },
    violates: 'what is refused takes no effect',
  },
  {
    name: 'the outbox of a finished job is left for a later write',
    wrong: { settle: (held) => held.flush() },
    size: {},
    violates: REST,
  },
  {
    name: 'a job fails with its plan standing',
    wrong: { resolvesBeforeFailing: false },
    size: { strikes: 3, budget: { crashes: 1 } },
    violates: 'no plan outlives its job',
  },
  {
    name: 'a request is answered before the deadline of the plan that stands',
    wrong: { msUntilTakeOver: () => 0 },
    size: { requests: ['cancel-1'] },
    violates: 'no record goes once the job is paused or at its end',
  },
  {
    name: 'a slice that lost its place resolves a plan that somebody else has resolved',
    wrong: { stillMine: (job, plan) => withLane(job, { plan }) },
    size: { budget: { freezes: 2, repeats: 1 } },
    violates: 'succeeded is what is gone, each once',
  },
];
