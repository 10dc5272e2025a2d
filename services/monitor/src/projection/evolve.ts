import { askedAgain, changeBatch, handedOver, purgeDelayed, purged, purgeFailed } from './batches.js';
import {
  asked,
  atStage,
  awaitsConfirmation,
  counted,
  dryRunFinished,
  heard,
  progressed,
  sampled,
  startedWith,
  tenantOf,
  workedOn,
} from './deletion.js';
import { firstHeardOf, type JobProjection } from './job.js';
import { earlierOf, lastOf, latest, laterOf } from './order.js';
import type { LedgerMessage, MessageNamed, Recorded } from './recorded.js';
import { answered, refused, requested } from './requests.js';
import { isSettled, statusOf } from './status.js';
import { objectsChecked, recordsVerified } from './verification.js';

/** The job a message tells of; null for one that is about none (the topology's). */
export function jobOf(message: LedgerMessage): string | null {
  switch (message.type) {
    case 'ConsumerAttached':
    case 'ConsumerDetached':
    case 'BindingChanged':
      return null;
    default:
      return message.subject;
  }
}

/** Folds one event of a job; the first one heard, whichever it is, makes the job. Folding it again changes nothing. */
export function evolve(job: JobProjection | null, event: Recorded): JobProjection {
  return derived(told(job, event));
}

/** As `evolve`, one event after the other: no fold reads what is derived, so that once, at the end, is enough. */
export function evolveAll(job: JobProjection | null, events: readonly Recorded[]): JobProjection | null {
  const after = events.reduce(told, job);
  return after && derived(after);
}

/** The fields that events tell; the others are as they were. */
export function told(job: JobProjection | null, event: Recorded): JobProjection {
  const { message, position } = event;
  const time = new Date(message.time).toISOString();
  const before = job ?? firstHeardOf(message.subject, time);
  const sequential = message.sequence === undefined ? before : ofDeleter(before, message, message.sequence);
  return {
    ...apply(sequential, message),
    tenant: tenantOf(before, message),
    firstAt: earlierOf(before.firstAt, time),
    // What a monitor says of a job is no news of it.
    updatedAt: message.type === 'JobDiagnosisChanged' ? before.updatedAt : laterOf(before.updatedAt, time),
    position: Math.max(before.position, position),
  };
}

/** The document's fields that follow from the others, kept for queries. */
export function derived(job: JobProjection): JobProjection {
  const listedAt = job.request ? new Date(job.request.requestedAt).toISOString() : job.firstAt;
  const withStatus = { ...job, listedAt, status: statusOf(job) };
  return { ...withStatus, settled: isSettled(withStatus) };
}

function ofDeleter(job: JobProjection, message: LedgerMessage, sequence: number): JobProjection {
  const told = sequenced(heard(job, sequence), message, sequence);
  const { data } = message;
  const counts =
    'totals' in data && message.type !== 'JobCompleted' ? counted(told, sequence, data.totals, message.time) : told;
  const worker = 'instance' in data ? data.instance : null;
  return worker === null ? counts : workedOn(counts, sequence, worker, message.time);
}

function sequenced(job: JobProjection, message: LedgerMessage, sequence: number): JobProjection {
  const stage = (name: Parameters<typeof atStage>[2]) =>
    progressed(atStage(job, sequence, name, message.time), sequence);
  switch (message.type) {
    case 'DeletionStarted':
      return startedWith(stage('running'), sequence, message);
    case 'ConfirmationAwaited':
      return awaitsConfirmation(stage('awaiting_confirmation'), sequence, message);
    case 'DeletionPaused':
      return answered(stage('paused'), message, 'PauseRequested');
    case 'DeletionResumed':
      return answered(stage('running'), message, message.data.requestType ?? 'ResumeRequested');
    case 'RateChanged': {
      const { maxRecordsPerSecond } = message.data;
      const changed = { ...job, rate: latest(job.rate, { sequence, maxRecordsPerSecond }) };
      return answered(changed, message, 'RateChangeRequested');
    }
    case 'DeletionCancelled':
      return answered(stage('cancelled'), message, 'CancelRequested');
    case 'PurgesRetried':
      return answered(progressed(job, sequence), message, 'RetryRequested');
    case 'PurgeRequested':
      return askedAgainFor(progressed(job, sequence), message);
    case 'RecordsVerified':
      return recordsVerified(progressed(job, sequence), message);
    case 'DeletionFinished':
      return stage('finished');
    case 'DryRunFinished':
      return dryRunFinished(stage('dry_run_finished'), sequence, message);
    case 'DeletionFailed':
      return withError(stage('failed'), message, message.data.error);
    case 'BatchDeleted':
      return sampled(progressed(job, sequence), sequence, message);
    case 'BatchDelayed': {
      const { cause, error, attempt, retryAt, instance } = message.data;
      const delay = latest(job.delay, { sequence, cause, error, attempt, retryAt, instance });
      return withError({ ...job, delay }, message, error);
    }
    default:
      return job;
  }
}

/** What does not depend on the deleter's sequence: requests, objects by batch and position, the monitor's own word. */
function apply(job: JobProjection, message: LedgerMessage): JobProjection {
  switch (message.type) {
    case 'DeleteRequested':
      return { ...asked(job, message), traceparent: message.traceparent ?? job.traceparent };
    case 'PauseRequested':
    case 'ResumeRequested':
    case 'CancelRequested':
    case 'RetryRequested':
    case 'RateChangeRequested':
    case 'ConfirmRequested':
      return requested(job, message);
    case 'RequestRefused':
      return refused(job, message);
    case 'BatchDeleted':
      return changeBatch(job, message.data.batch, handedOver(message.data.objectKeys.count, message.time));
    case 'ObjectsPurged':
      return changeBatch(job, message.data.batch, purged(message.data.positions));
    case 'ObjectPurgeFailed': {
      const failed = changeBatch(job, message.data.batch, purgeFailed(message.data.positions, message.data.round));
      return withError(failed, message, message.data);
    }
    case 'ObjectPurgeDelayed': {
      const delayed = changeBatch(job, message.data.batch, purgeDelayed(message.data.retryAt, message.data.round));
      return withError(delayed, message, message.data);
    }
    case 'ObjectsChecked':
      return objectsChecked(job, message);
    case 'JobDiagnosisChanged': {
      const { number = 0, code, severity, summary } = message.data;
      const isLater = job.verdict === null || number > job.verdict.number;
      return isLater ? { ...job, verdict: { number, code, severity, summary, at: message.time } } : job;
    }
    case 'JobCompleted': {
      const { outcome, finished = null } = message.data;
      const completed = { outcome, at: message.time, id: message.id, finished };
      return { ...job, completed: lastOf(job.completed, completed) };
    }
    default:
      return job;
  }
}

function askedAgainFor(job: JobProjection, { data, time }: MessageNamed<'PurgeRequested'>): JobProjection {
  const { batch, positions, retained = [], round = 1 } = data;
  return changeBatch(job, batch, askedAgain({ round, positions, retained, at: time }));
}

function withError(
  job: JobProjection,
  { id, time }: LedgerMessage,
  { code, message }: { code: string; message: string },
): JobProjection {
  return { ...job, lastError: lastOf(job.lastError, { at: time, id, code, message }) };
}
