import { DiagnosisCode, type FailureView, type JobView } from '@expunge/contracts';
import type { JobProjection } from '../projection/job.js';
import { pendingObjects } from '../projection/moved.js';
import { isFinal, lastRequestOf } from '../projection/status.js';
import { residueOf } from '../projection/verification.js';

/** The rate is taken over so many of the last seconds in which records went; older ones say nothing of now. */
const RATE_WINDOW_S = 30;

/** The job as it is answered; `now` decides only whether the last rate still holds. */
export function jobView(job: JobProjection, now: Date): JobView {
  const { request, started } = job;
  const progress = progressOf(job);
  const recordsPerSecond = rateOf(job, now);
  const pastRecords =
    job.stage !== null && ['finished', 'dry_run_finished', 'failed', 'cancelled'].includes(job.stage.name);
  return {
    id: job.id,
    tenant: job.tenant,
    resource: request?.resource ?? null,
    selection: request?.selection ?? null,
    options: request?.options ?? null,
    maxRecordsPerSecond: job.rate ? job.rate.maxRecordsPerSecond : (request?.options.maxRecordsPerSecond ?? null),
    requestedBy: request?.requestedBy ?? null,
    reason: request?.reason ?? null,
    requestedAt: request?.requestedAt ?? null,
    status: job.status,
    progress,
    recordsPerSecond,
    eta: etaOf(job, progress, recordsPerSecond, now),
    delayed: delayOf(job),
    lastError: errorOf(job),
    lastRequest: lastRequestOf(job),
    pickedUp: started && { instance: started.instance, at: started.at },
    worker: job.worker && { instance: job.worker.instance, at: job.worker.at },
    startedAt: started?.at ?? null,
    finishedAt: pastRecords ? (job.stage?.at ?? null) : null,
    completedAt: completedAt(job),
    confirmation: job.confirmation ? askedFor(job.confirmation) : null,
    dryRun: job.dryRun ? shown(job.dryRun) : null,
    residue: residueOf(job),
    diagnosis: verdictOf(job),
    updatedAt: job.updatedAt,
    failures: job.failures.map(({ id, code, message }) => ({ id, code, message })),
    retained: job.retained.map(({ key }) => key),
    traceparent: job.traceparent,
    sequence: job.sequence,
    position: job.position,
  };
}

/** Of a dry run nobody says it: it is over as soon as it has counted. */
function completedAt({ status, stage, completed }: JobProjection): string | null {
  if (stage?.name === 'dry_run_finished') return stage.at;
  return status.startsWith('completed') ? (completed?.at ?? null) : null;
}

const askedFor = ({ total, totalIsEstimate, limit }: Required<JobProjection>['confirmation']) => ({
  total,
  totalIsEstimate,
  limit,
});

const shown = ({ total, totalIsEstimate, sample }: Required<JobProjection>['dryRun']) => ({
  total,
  totalIsEstimate,
  sample,
});

/** The verdict told last. */
function verdictOf({ verdict }: JobProjection): JobView['diagnosis'] {
  const code = DiagnosisCode.safeParse(verdict?.code);
  if (!verdict || !code.success) return null;
  return { code: code.data, severity: verdict.severity, since: verdict.at, summary: verdict.summary };
}

export function failureView({ kind, id, key, batch, position, code, message, at }: FailureView): FailureView {
  return { kind, id, key, batch, position, code, message, at };
}

function progressOf(job: JobProjection): JobView['progress'] {
  const { succeeded = 0, failed = 0, objects = 0, retained = 0 } = job.totals ?? {};
  const processed = succeeded + failed;
  const { total = null, totalIsEstimate = false } = job.dryRun ?? job.started ?? {};
  const { purged, failed: failedPurges, kept } = job.objects;
  return {
    processed,
    succeeded,
    failed,
    total,
    totalIsEstimate,
    percent: percentOf(job, processed, total),
    objects: {
      // An object may be purged before its batch is heard of.
      handedOver: Math.max(objects, purged + failedPurges + kept),
      purged,
      failed: failedPurges,
      retained: retained + kept,
      pending: pendingObjects(job),
    },
  };
}

function percentOf(job: JobProjection, processed: number, total: number | null): number | null {
  if (job.stage?.name === 'finished') return 100;
  if (total === null || job.dryRun) return null;
  return total === 0 ? 100 : Math.min(100, Math.floor((processed / total) * 1000) / 10);
}

function rateOf(job: JobProjection, now: Date): number | null {
  const { started, stage, recent, verdict } = job;
  const last = recent.at(-1);
  if (!last || now.getTime() / 1000 - last.second > RATE_WINDOW_S) return null;
  if (stage?.name !== 'running' || verdict?.severity === 'blocking') return null;
  // Since it was resumed last, which tells what was done by then: a pause is no part of a rate.
  const since = Math.max(secondOf(stage.at), last.second - RATE_WINDOW_S);
  const begun = started ? [{ second: secondOf(started.at), processed: 0 }] : [];
  const first = [...begun, ...recent].find(({ second }) => second >= since);
  if (!first || first.second === last.second) return null;
  return (last.processed - first.processed) / (last.second - first.second);
}

const secondOf = (at: string): number => Math.floor(Date.parse(at) / 1000);

function etaOf(
  job: JobProjection,
  { processed, total }: JobView['progress'],
  rate: number | null,
  now: Date,
): string | null {
  if (total === null || rate === null || rate === 0 || job.status !== 'running') return null;
  return new Date(now.getTime() + (Math.max(0, total - processed) / rate) * 1000).toISOString();
}

function delayOf({ delay, progressedAt, status }: JobProjection): JobView['delayed'] {
  if (!delay || delay.sequence < progressedAt || isFinal(status)) return null;
  const { cause, error, attempt, retryAt } = delay;
  return { cause, error: { code: error.code, message: error.message }, attempt, retryAt };
}

function errorOf({ lastError, refused, stage }: JobProjection): JobView['lastError'] {
  if (lastError) return { code: lastError.code, message: lastError.message, at: lastError.at };
  if (!refused || stage) return null;
  return { code: `REQUEST_REFUSED:${refused.reason}`, message: refused.message, at: refused.at };
}
