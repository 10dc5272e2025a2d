import {
  JobCompleted,
  jobCompletedId,
  type JobStatus,
  positions,
  type Residue,
  VerificationRequested,
  verificationRequestedId,
} from '@expunge/contracts';
import { accountedFor } from './batches.js';
import { type JobProjection, REQUESTS_KEPT } from './job.js';
import { compareHappenings, compareTimes } from './order.js';
import { isVerified, openChunks, residueOf, verificationOf } from './verification.js';

/** At rest for good, unless a person asks for something. */
const final: readonly JobStatus[] = ['completed', 'completed_with_residue', 'cancelled', 'failed'];

export function isFinal(status: JobStatus): boolean {
  return final.includes(status);
}

export function statusOf(job: JobProjection): JobStatus {
  if (isCompleted(job)) return job.completed?.outcome ?? 'completed';
  switch (job.stage?.name) {
    case 'cancelled':
    case 'failed':
      return job.stage.name;
    case 'finished':
      return isVerifying(job) ? 'verifying' : 'purging';
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
export function unanswered(job: Pick<JobProjection, 'requests' | 'answers'>): JobProjection['requests'] {
  const answered = new Set(job.answers.map((answer) => answer.requestId));
  const oldest = job.answers.length < REQUESTS_KEPT ? null : job.answers.at(-1);
  return job.requests.filter(
    (request) => !answered.has(request.id) && (!oldest || compareTimes(request.at, oldest.at) > 0),
  );
}

/** Statuses in which a job deletes, or will by itself. */
export const deleting: readonly JobStatus[] = ['queued', 'running'];
/** What sets a job going that would stay as it is. */
export const setsGoing: readonly string[] = ['ResumeRequested', 'RetryRequested', 'ConfirmRequested'];

/** Whether a record of the job may still go: by itself, or by what somebody asked for and nobody has answered yet. */
export function mayDelete(job: Pick<JobProjection, 'status' | 'requests' | 'answers'>): boolean {
  if (deleting.includes(job.status)) return true;
  // A cancel waits for no other request; what is retried of a cancelled job is its purges.
  if (job.status === 'cancelling' || job.status === 'cancelled') return false;
  return unanswered(job).some(({ type }) => setsGoing.includes(type));
}

export function hasGap(job: JobProjection): boolean {
  return (job.heard.at(-1)?.[1] ?? 0) > job.sequence;
}

export function isSettled(job: JobProjection): boolean {
  if (!isFinal(job.status) || hasGap(job) || unanswered(job).length > 0) return false;
  return accountedFor(job.batches, job.totals?.batches ?? 0);
}

const isCompleted = ({ stage, completed }: JobProjection): boolean =>
  stage?.name === 'finished' &&
  completed !== null &&
  (completed.finished === null || completed.finished === stage.sequence);

/** Records and objects are all accounted for, and nobody has said that the job is completed. */
const isAccountedFor = (job: JobProjection): boolean =>
  job.stage?.name === 'finished' &&
  !isCompleted(job) &&
  job.totals !== null &&
  accountedFor(job.batches, job.totals.batches);

const wantsVerification = ({ request }: JobProjection): boolean => request?.options.verify !== 'none';

const isVerifying = (job: JobProjection): boolean => wantsVerification(job) && isAccountedFor(job);

/** What is left is to be looked for, and somebody has not answered yet. */
export function isVerificationDue(job: JobProjection): boolean {
  return isVerifying(job) && !isVerified(verificationOf(job));
}

/** The job is done but nobody said so. */
export function isCompletionDue(job: JobProjection): boolean {
  return isAccountedFor(job) && (!wantsVerification(job) || isVerified(verificationOf(job)));
}

/** CloudEvents `source` of what the monitor says. */
export const SOURCE = 'urn:expunge:monitor';

const envelope = (job: JobProjection) => ({
  source: SOURCE,
  subject: job.id,
  ...(job.tenant === null ? {} : { tenantid: job.tenant }),
  ...(job.traceparent === null ? {} : { traceparent: job.traceparent }),
});

/** What to publish when completion is due. The id is derived: said again, it is the same event. */
export function jobCompleted(job: JobProjection, now: string): JobCompleted {
  const totals = job.totals ?? { batches: 0, succeeded: 0, failed: 0, objects: 0, retained: 0 };
  const { batches, succeeded, failed, objects, retained } = totals;
  const finished = job.stage?.sequence ?? 0;
  const residue = residueOf(job);
  const isClean = failed === 0 && job.objects.failed === 0 && (residue === null || isNothing(residue));
  return JobCompleted.create({
    ...envelope(job),
    id: jobCompletedId(job.id, finished),
    time: now,
    data: {
      outcome: isClean ? 'completed' : 'completed_with_residue',
      totals: { batches, succeeded, failed, objects, retained },
      objects: { purged: job.objects.purged, failed: job.objects.failed },
      finished,
      ...(residue && { residue }),
    },
  });
}

/** Where nobody could look, nothing was found: that is told beside the outcome. */
const isNothing = ({ records, objects }: Residue): boolean =>
  records.left === 0 && (records.otherTypes ?? 0) === 0 && objects.present === 0;

/** What to publish when verification is due: for all of it, or for what was not answered. */
export function verificationRequested(job: JobProjection, now: string): VerificationRequested {
  const finished = job.stage?.sequence ?? 0;
  const verification = verificationOf(job);
  return VerificationRequested.create({
    ...envelope(job),
    id: verificationRequestedId(job.id, finished, now),
    time: now,
    data: { finished, ...(verification?.records && { chunks: openChunks(verification) }) },
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
