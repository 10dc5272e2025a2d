import {
  type Bound,
  type DeleteRequested,
  DeletionFailed,
  DeletionStarted,
  type ErrorInfo,
  type Totals,
} from '@expunge/contracts';
import type { DeletionJob } from './deletion-job.js';
import { emit } from './emit.js';

const nothing: Totals = { batches: 0, succeeded: 0, failed: 0, objects: 0, retained: 0 };

/** A document without an event yet. */
export function newJob(
  known: Pick<
    DeletionJob,
    'id' | 'tenant' | 'request' | 'requestedAt' | 'traceparent' | 'bodyHash' | 'bound' | 'answered'
  >,
  now: Date,
): DeletionJob {
  return {
    ...known,
    state: 'running',
    maxRecordsPerSecond: known.request?.options.maxRecordsPerSecond ?? null,
    lanes: [
      {
        cursor: null,
        plan: null,
        pass: { found: 0, deleted: 0, stalled: 0 },
        batchLimit: null,
        turn: 1,
        attempt: 0,
        strikes: 0,
        holder: null,
        waiting: null,
        noProgress: null,
        paceAt: null,
      },
    ],
    totals: nothing,
    retriedFrom: null,
    total: null,
    sequence: 0,
    revision: 1,
    pending: null,
    appliedAt: { state: null, rate: null },
    finished: null,
    verified: null,
    purgeRound: 0,
    purgesDue: false,
    outbox: [],
    writtenAt: now,
  };
}

function accepted(request: DeleteRequested, bodyHash: string, bound: Bound, now: Date): DeletionJob {
  const { id, subject, tenantid: tenant = '', data, time: requestedAt, traceparent = null } = request;
  const known = { id: subject, tenant, request: data, requestedAt, traceparent, bodyHash, bound, answered: [id] };
  return newJob(known, now);
}

/** The document a request begins with: bounded, its first turn due, DeletionStarted in the outbox. */
export function startJob(
  request: DeleteRequested,
  facts: { bodyHash: string; bound: Bound; total: number | null; instance: string; now: Date },
): DeletionJob {
  const { bodyHash, bound, total, instance, now } = facts;
  const job = { ...accepted(request, bodyHash, bound, now), total };
  return emit<DeletionStarted>(
    job,
    DeletionStarted,
    { request: request.data, requestedAt: request.time, bound, instance, total, totalIsEstimate: false },
    now,
  );
}

/** A request that cannot be worked on is a job that failed at once, so that whoever asked is told why. */
export function failAtStart(
  request: DeleteRequested,
  facts: { bodyHash: string; error: ErrorInfo; instance: string; now: Date },
): DeletionJob {
  const { bodyHash, error, instance, now } = facts;
  const job: DeletionJob = { ...accepted(request, bodyHash, { idAtMost: null }, now), state: 'failed' };
  return emit<DeletionFailed>(job, DeletionFailed, { error, totals: nothing, instance }, now);
}
