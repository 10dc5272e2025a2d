import {
  BatchDelayed,
  type ControlRequest,
  DeletionCancelled,
  DeletionPaused,
  DeletionResumed,
  type ErrorInfo,
  PurgesRetried,
  RateChanged,
  RequestRefused,
  requestRefusedId,
  tierOf,
} from '@expunge/contracts';
import { fail } from './delay-job.js';
import { type DeletionJob, type DeletionState, MAX_STRIKES, type Pending, withLane } from './deletion-job.js';
import { emit, SOURCE } from './emit.js';
import { nextPass } from './end-pass.js';
import { newJob } from './start-job.js';
import { refusals, transitions } from './transitions.js';

type Refusal = RequestRefused['data']['reason'];

export type ControlVerdict =
  /** Answered before: the answer is told again. */
  | { do: 'tell-again' }
  /** It has fenced the job, and whoever did so may be dead. */
  | { do: 'go-on' }
  /** Another request is pending. */
  | { do: 'wait' }
  | { do: 'fence'; during: DeletionState; displaces: Pending | null }
  | { do: 'refuse'; reason: Refusal; message: string };

/** Answers a job remembers. Older ones come too late by their time. */
const ANSWERS_KEPT = 100;

/** What a request may do to the job as it stands. An id counts as known only once it is answered. */
export function controlVerdict(job: DeletionJob, request: ControlRequest): ControlVerdict {
  const { pending, state } = job;
  if (job.answered.includes(request.id)) return { do: 'tell-again' };
  if (pending?.id === request.id) return { do: 'go-on' };
  const isCancel = request.type === 'CancelRequested';
  const appliedAt = job.appliedAt[concerns(request.type)];
  if (!isCancel && appliedAt !== null && Date.parse(request.time) < Date.parse(appliedAt)) {
    return { do: 'refuse', reason: 'superseded', message: 'a later request has taken effect' };
  }
  if (pending !== null && (!isCancel || pending.type === 'CancelRequested')) return { do: 'wait' };
  if (request.type === 'RetryRequested' && neverStarted(job)) {
    return { do: 'refuse', reason: 'not-allowed', message: 'the job never started; request it again, as a new job' };
  }
  if (request.type === 'RetryRequested' && job.request === null) {
    return { do: 'refuse', reason: 'not-allowed', message: 'the job was cancelled before it was requested' };
  }
  const edge = transitions[state][request.type];
  if (!edge) return { do: 'refuse', reason: 'not-allowed', message: refusals[state] };
  return { do: 'fence', during: edge.during, displaces: pending };
}

/** What a request changes: a rate does not make an earlier pause come too late. */
const concerns = (type: ControlRequest['type']): 'state' | 'rate' =>
  type === 'RateChangeRequested' ? 'rate' : 'state';

/** It was refused before its bound was taken: there is nothing to go on with. */
const neverStarted = (job: DeletionJob): boolean => job.state === 'failed' && job.sequence === 1;

export function pendingOf(request: ControlRequest): Pending {
  const { requestedBy: by, reason } = request.data;
  const maxRecordsPerSecond = request.type === 'RateChangeRequested' ? request.data.maxRecordsPerSecond : null;
  return { id: request.id, type: request.type, time: request.time, by, reason, maxRecordsPerSecond, waiting: null };
}

/** Whether the request is answered only once no plan stands: what has gone until then is in its totals. */
export const waitsForPlan = (type: ControlRequest['type']): boolean =>
  type === 'PauseRequested' || type === 'CancelRequested' || type === 'RateChangeRequested';

/** The one answer, in the write that makes the state final. */
export function answerPending(job: DeletionJob, now: Date): DeletionJob {
  const { pending } = job;
  if (!pending) throw new Error(`job ${job.id} has no request to answer`);
  if (job.lanes[0].plan && waitsForPlan(pending.type)) throw new Error(`job ${job.id} has a plan to resolve first`);
  const about = concerns(pending.type);
  // A rate changes nothing of why the job waits: asked for again and again, it must not keep a job from failing.
  const afresh =
    about === 'rate' ? { holder: null } : { attempt: 0, strikes: 0, holder: null, waiting: null, noProgress: null };
  const { succeeded, failed } = job.totals;
  const answered: DeletionJob = {
    ...withLane(job, afresh),
    state: stateAfter(pending.type, job.state),
    pending: null,
    retriedFrom: pending.type === 'RetryRequested' ? { succeeded, failed } : job.retriedFrom,
    answered: [...job.answered, pending.id].slice(-ANSWERS_KEPT),
    appliedAt: { ...job.appliedAt, [about]: later(job.appliedAt[about], pending.time) },
  };
  const said = { requestId: pending.id, by: pending.by, reason: pending.reason, totals: job.totals };
  switch (pending.type) {
    case 'PauseRequested':
      return emit<DeletionPaused>(answered, DeletionPaused, said, now);
    case 'CancelRequested':
      return emit<DeletionCancelled>(answered, DeletionCancelled, said, now);
    case 'RateChangeRequested': {
      const { maxRecordsPerSecond } = pending;
      const changed = { ...answered, maxRecordsPerSecond };
      return emit<RateChanged>(changed, RateChanged, { ...said, maxRecordsPerSecond }, now);
    }
    case 'ResumeRequested':
      return emit<DeletionResumed>(answered, DeletionResumed, said, now);
    case 'RetryRequested': {
      const again: DeletionJob = { ...answered, purgeRound: job.purgeRound + 1, purgesDue: true };
      if (again.state === 'cancelled') return emit<PurgesRetried>(again, PurgesRetried, said, now);
      const fromFront = job.state === 'finished' ? nextPass(again) : again;
      return emit<DeletionResumed>(fromFront, DeletionResumed, { ...said, requestType: pending.type }, now);
    }
    case 'ConfirmRequested':
      return emit<DeletionResumed>(answered, DeletionResumed, { ...said, requestType: pending.type }, now);
  }
}

/**
 * The plan before the request could not be resolved. As with slices, an unreachable store is waited for, and five other
 * errors are too many: then the job fails, with its plan standing, and the request is refused.
 */
export function delayPending(
  job: DeletionJob,
  why: { cause: 'store' | 'error'; error: ErrorInfo },
  facts: { instance: string; now: Date; storeRetryForMs: number },
): DeletionJob {
  const { pending } = job;
  if (!pending) throw new Error(`job ${job.id} has no request that waits`);
  const { instance, now, storeRetryForMs } = facts;
  const before = pending.waiting ?? { since: now, attempt: 0, strikes: 0 };
  const attempt = before.attempt + 1;
  const strikes = before.strikes + (why.cause === 'error' ? 1 : 0);
  if (strikes >= MAX_STRIKES || now.getTime() - before.since.getTime() > storeRetryForMs) {
    const failed = fail(job, why.error, { instance, now });
    const refusal = refusalOf(
      { id: pending.id, type: pending.type, job: job.id, tenant: job.tenant },
      { reason: 'not-allowed', message: `the job failed first: ${why.error.message}` },
      now,
    );
    return { ...failed, pending: null, answered: [...job.answered, pending.id], outbox: [...failed.outbox, refusal] };
  }
  const retryAt = new Date(now.getTime() + tierOf(attempt) * 1000);
  const waiting = { since: before.since, retryAt, attempt, strikes };
  return emit<BatchDelayed>(
    { ...job, pending: { ...pending, waiting } },
    BatchDelayed,
    { ...why, attempt, retryAt: retryAt.toISOString(), instance },
    now,
  );
}

/** By the states a request leads to: a fence leaves no other one in between. */
function stateAfter(type: ControlRequest['type'], during: DeletionState): DeletionState {
  const edge = Object.values(transitions)
    .map((edges) => edges[type])
    .find((candidate) => candidate?.during === during);
  if (!edge) throw new Error(`${type} leads nowhere from ${during}`);
  return edge.to;
}

const later = (known: string | null, time: string): string =>
  known !== null && Date.parse(known) > Date.parse(time) ? known : time;

/** A job cancelled before its request arrived: its document, which that request will meet. */
export function tombstone(request: ControlRequest, now: Date): DeletionJob {
  const { subject: id, tenantid: tenant = '', time: requestedAt, traceparent = null } = request;
  const nothing = { request: null, bodyHash: null, bound: { idAtMost: null }, answered: [] };
  const known = { id, tenant, requestedAt, traceparent, ...nothing };
  return answerPending({ ...newJob(known, now), state: 'cancelling', pending: pendingOf(request) }, now);
}

/**
 * Has no sequence: it is no step of the job, and may speak of one that does not exist. `mark` tells apart what may be
 * refused under one id.
 */
export function refusalOf(
  request: { id: string; type: string; job: string; tenant: string | undefined },
  why: { reason: Refusal; message: string },
  now: Date,
  mark: string = why.reason,
): RequestRefused {
  return RequestRefused.create({
    id: requestRefusedId(request.id, mark),
    source: SOURCE,
    subject: request.job,
    time: now.toISOString(),
    tenantid: request.tenant,
    data: { requestId: request.id, requestType: request.type, ...why },
  });
}
