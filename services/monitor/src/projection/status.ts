import { type JobStatus, jobCompletedId, JobCompleted, positions } from '@expunge/contracts';
import { accountedFor } from './batches.js';
import { type JobProjection, REQUESTS_KEPT } from './job.js';
import { compareHappenings, compareTimes } from './order.js';

/** At rest for good, unless a person asks for something. */
const final: readonly JobStatus[] = ['completed', 'completed_with_residue', 'cancelled', 'failed'];

export function isFinal(status: JobStatus): boolean {
  return final.includes(status);
}

export function statusOf(job: JobProjection): JobStatus {
  if (job.completed) return job.completed.outcome;
  switch (job.stage?.name) {
    case 'cancelled':
    case 'failed':
      return job.stage.name;
    case 'finished':
      return 'purging';
    case 'dry_run_finished':
      return 'completed';
    default:
  }
  if (job.stage === null && job.refused) return 'failed';
  const pending = unanswered(job).map(({ type }) => type);
  if (pending.includes('CancelRequested')) return 'cancelling';
  if (pending.includes('PauseRequested') && job.stage?.name !== 'paused') return 'pausing';
  return job.stage?.name ?? (job.heard.length > 0 ? 'running' : 'queued');
}

/**
 * What a person asked of the job and nobody has answered, the newest first. Of a request older than all the answers that
 * are kept nobody can tell: its own may be one of those that are not.
 */
export function unanswered(job: JobProjection): JobProjection['requests'] {
  const answered = new Set(job.answers.map((answer) => answer.requestId));
  const oldest = job.answers.length < REQUESTS_KEPT ? null : job.answers.at(-1);
  return job.requests.filter(
    (request) => !answered.has(request.id) && (!oldest || compareTimes(request.at, oldest.at) > 0),
  );
}

export function hasGap(job: JobProjection): boolean {
  return (job.heard.at(-1)?.[1] ?? 0) > job.sequence;
}

export function isSettled(job: JobProjection): boolean {
  if (!isFinal(job.status) || hasGap(job) || unanswered(job).length > 0) return false;
  return accountedFor(job.batches, job.totals?.batches ?? 0);
}

/** The job is done but nobody said so: records and objects are all accounted for. */
export function isCompletionDue(job: JobProjection): boolean {
  return (
    job.stage?.name === 'finished' &&
    job.completed === null &&
    job.totals !== null &&
    accountedFor(job.batches, job.totals.batches)
  );
}

/** CloudEvents `source` of what the monitor says. */
export const SOURCE = 'urn:expunge:monitor';

/** What to publish when completion is due. The id is derived: said again, it is the same event. */
export function jobCompleted(job: JobProjection, now: string): JobCompleted {
  const totals = job.totals ?? { batches: 0, succeeded: 0, failed: 0, objects: 0, retained: 0 };
  const { batches, succeeded, failed, objects, retained } = totals;
  return JobCompleted.create({
    id: jobCompletedId(job.id),
    source: SOURCE,
    subject: job.id,
    time: now,
    ...(job.tenant === null ? {} : { tenantid: job.tenant }),
    ...(job.traceparent === null ? {} : { traceparent: job.traceparent }),
    data: {
      outcome: failed === 0 && job.objects.failed === 0 ? 'completed' : 'completed_with_residue',
      totals: { batches, succeeded, failed, objects, retained },
      objects: job.objects,
    },
  });
}

/** The last request a person made, and what became of it. */
export function lastRequestOf(job: JobProjection) {
  const asked = job.requests.map((request) => ({
    ...request,
    answer: job.answers.find((answer) => answer.requestId === request.id),
  }));
  // An answer to a request that was never heard still tells of it.
  const unheard = job.answers
    .filter((answer) => !job.requests.some((request) => request.id === answer.requestId))
    .map((answer) => ({ at: answer.at, id: answer.requestId, type: answer.requestType, answer }));
  const last = [...asked, ...unheard].sort(compareHappenings).at(-1);
  if (!last) return null;
  const { id, type, at, answer } = last;
  return { id, type, at, outcome: answer?.outcome ?? ('pending' as const), reason: answer?.reason ?? null };
}

export function heardSequences(job: JobProjection): { missing: [number, number][]; last: number } {
  const last = job.heard.at(-1)?.[1] ?? 0;
  return { missing: last === 0 ? [] : positions.difference([[1, last]], job.heard), last };
}
