import { ConflictError } from '@expunge/messaging';
import { pendingOf, refusalOf, tombstone } from '../../src/deletion-job/control.js';
import { type DeletionJob, isActive, type Pending } from '../../src/deletion-job/deletion-job.js';
import { request as deleteRequest } from '../../src/deletion-job/given.js';
import { awaitConfirmation, finishDryRun } from '../../src/deletion-job/brakes.js';
import { startJob } from '../../src/deletion-job/start-job.js';
import { answer } from './answer.js';
import { fence, type Handler, insert, read, send, type Steps } from './calls.js';
import { NOW } from './clock.js';
import { Held } from './held.js';
import { controlRequest } from './requests.js';
import type { Rules } from './rules.js';
import type { Begins } from './world.js';

/** As DeleteRequestService.begin. */
export function begin(instance: string, begins?: Begins): DeletionJob {
  const facts = { bodyHash: 'hash', bound: { idAtMost: 'z' }, total: null, instance, now: NOW };
  const job = startJob(deleteRequest, facts);
  const counted = { records: 1, isAll: true };
  if (begins === 'dry-run') return finishDryRun(job, { counted, sample: [] }, NOW);
  return begins === 'unconfirmed' ? awaitConfirmation(job, counted, 0, NOW) : job;
}

/** As DeleteRequestService.accept. */
export function* accept(instance: string, rules: Rules, begins?: Begins): Handler {
  let job = yield* read();
  if (!job) {
    const fresh = begin(instance, begins);
    job = (yield* insert(fresh)) ? fresh : yield* read();
  }
  if (!job) return;
  if (job.bodyHash === null) return yield* rules.settle(new Held(job));
  if (rules.hasTurns(job) && !job.outbox.some((event) => event.sequence === 1)) return;
  const held = new Held(job);
  yield* rules.settle(held);
  if (rules.hasTurns(job)) yield* send(held.lane.turn);
}

/** The message goes to a tier. */
export class Waits extends Error {}

/** As one round of ControlService.take; it begins again with its next stage. */
export function* take(id: string, instance: string, rules: Rules): Handler {
  const job = yield* read();
  const done = job ? yield* ofJob(job, id, instance, rules) : yield* ofUnknown(id, rules);
  return done || !rules.takesRequestAgain ? undefined : { part: 'message' };
}

function* ofJob(job: DeletionJob, id: string, instance: string, rules: Rules): Steps<boolean> {
  const request = controlRequest(id);
  const verdict = rules.controlVerdict(job, request);
  switch (verdict.do) {
    case 'tell-again':
      yield* new Held(job).flush();
      yield { do: 'tell-again', request: id };
      return true;
    case 'wait':
      throw new Waits();
    case 'refuse':
      if (rules.notesRefusals) return yield* refusedForGood(job, id, verdict, rules);
      yield { do: 'refuse', request: id };
      return true;
    case 'go-on':
      return yield* answered(job, instance, rules);
    case 'fence': {
      const { during, displaces } = verdict;
      const refusal = displaces && superseded(job, displaces);
      const fenced = yield* fence(job, { request: id, pending: pendingOf(request), during, refusal });
      return fenced ? yield* answered(fenced, instance, rules) : false;
    }
  }
}

/** As ControlService.refuseForGood. */
function* refusedForGood(
  job: DeletionJob,
  id: string,
  { reason, message }: { reason: Reason; message: string },
  rules: Rules,
): Steps<boolean> {
  const { pending, state: during, tenant } = job;
  const { type } = controlRequest(id);
  const refusal = refusalOf({ id, type, job: job.id, tenant }, { reason, message }, NOW);
  const noted = yield* fence(job, { request: id, pending, during, refusal });
  if (!noted) return false;
  if (isActive(during) || pending) yield* send(noted.lanes[0].turn);
  else yield* rules.settle(new Held(noted));
  return true;
}

type Reason = Parameters<typeof refusalOf>[1]['reason'];

function* answered(job: DeletionJob, instance: string, rules: Rules): Steps<boolean> {
  try {
    yield* answer(new Held(job), instance, rules);
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}

function* ofUnknown(id: string, rules: Rules): Steps<boolean> {
  const request = controlRequest(id);
  if (request.type !== 'CancelRequested') throw new Waits();
  const job = tombstone(request, NOW);
  if (!(yield* insert(job))) return false;
  yield* rules.settle(new Held(job));
  return true;
}

const superseded = (job: DeletionJob, { id, type }: Pending) =>
  refusalOf(
    { id, type, job: job.id, tenant: job.tenant },
    { reason: 'superseded', message: 'a cancel came before it took effect' },
    NOW,
  );
