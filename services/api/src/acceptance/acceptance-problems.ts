import type { MissingIndex } from '@expunge/contracts';
import type { TransientError } from '@expunge/messaging';
import { ProblemError } from '../problems/problem.js';

const RETRY = { 'Retry-After': '5' };

export function notAccepted(why: string, cause?: TransientError): ProblemError {
  const broker = cause === undefined ? {} : { cause: cause.code };
  return new ProblemError('not-accepted', `${why} Nothing will happen; the request can be made again.`, broker, RETRY);
}

export function storeAway(cause: TransientError): ProblemError {
  return notAccepted('The database that keeps accepted requests does not answer.', cause);
}

export function keyReused(): ProblemError {
  const detail = 'This Idempotency-Key was used with another body; use a new key for another request.';
  return new ProblemError('idempotency-key-reused', detail);
}

export function usedLongAgo(job: string): ProblemError {
  const detail = 'This Idempotency-Key was used too long ago to compare what was asked for; use a new key.';
  return new ProblemError('idempotency-key-reused', detail, { job_id: job });
}

export function outcomeUnknown(job: string): ProblemError {
  const detail =
    'It is not known whether the broker has the request. If it has, the job can be read under its id soon. ' +
    'Repeated with the same Idempotency-Key, the request continues this job and never makes a second one.';
  return new ProblemError('outcome-unknown', detail, { job_id: job }, RETRY);
}

export function requestOutcomeUnknown(job: string): ProblemError {
  const detail =
    'The broker did not say whether it has the request. If it has, it shows as last_request of the job soon. ' +
    'Repeated with the same Idempotency-Key it is the same request and takes effect once.';
  return new ProblemError('outcome-unknown', detail, { job_id: job }, RETRY);
}

export function missingIndex(resource: string, missing: readonly MissingIndex[]): ProblemError {
  const commands = missing.map((index) => index.command);
  const detail = `Deleting ${resource} would scan whole collections. Run in mongosh: ${commands.join('; ')}`;
  const indexes = missing.map(({ keys, command }) => ({ keys, command }));
  return new ProblemError('missing-index', detail, { resource, missing_indexes: indexes });
}

export function basedOnMismatch(job: string, why: string): ProblemError {
  const detail = `options.based_on: ${job} ${why}; nothing was accepted.`;
  const errors = [{ pointer: '/options/based_on', detail: why }];
  return new ProblemError('based-on-mismatch', detail, { errors });
}
