import type { AsOf, DryRunFound, JobOptions, JobView, Selection, SelectionView } from '@expunge/contracts';
import type { Acceptance } from '../acceptance/acceptance.js';
import type { Freshness, PresentedAsOf, PresentedJob } from './job-answers.js';

/** How many ids of a selection are shown, as the monitor does. */
export const FIRST_IDS = 20;

const traceIdOf = (traceparent: string | null | undefined): string | null => traceparent?.split('-')[1] ?? null;

export const jobPath = (id: string): string => `/api/jobs/${id}`;

/** By its flags (W3C Trace Context): what is not sampled nobody has. */
const isSampled = (traceparent: string | null | undefined): boolean =>
  (Number.parseInt(traceparent?.split('-')[3] ?? '', 16) & 1) === 1;

function linksOf(
  id: string,
  traceparent: string | null | undefined,
  jaeger: string | undefined,
): PresentedJob['links'] {
  const links = { self: jobPath(id), diagnosis: `${jobPath(id)}/diagnosis` };
  const traceId = isSampled(traceparent) ? traceIdOf(traceparent) : null;
  return jaeger === undefined || traceId === null ? links : { ...links, trace: `${jaeger}/trace/${traceId}` };
}

function presentVerdict(verdict: JobView['diagnosis']): PresentedJob['diagnosis'] {
  if (!verdict?.code) return null;
  const { code, severity, since, summary } = verdict;
  return { code, severity, since, summary };
}

/** @param jaeger where traces are looked at */
export function presentJob(job: JobView, tenant: string, jaeger?: string): PresentedJob {
  const { progress } = job;
  const traceId = traceIdOf(job.traceparent);
  return {
    id: job.id,
    tenant,
    resource: job.resource,
    status: job.status,
    selection: job.selection && presentSelection(job.selection),
    options: job.options && presentOptions(job.options),
    max_records_per_second: job.maxRecordsPerSecond,
    reason: job.reason,
    requested_by: job.requestedBy,
    requested_at: job.requestedAt,
    started_at: job.startedAt,
    finished_at: job.finishedAt,
    completed_at: job.completedAt,
    progress: {
      processed: progress.processed,
      succeeded: progress.succeeded,
      failed_count: progress.failed,
      total: progress.total,
      total_is_estimate: progress.totalIsEstimate,
      percent: progress.total === null ? null : progress.percent,
      objects: {
        purged: progress.objects.purged,
        retained: progress.objects.retained,
        failed: progress.objects.failed,
        pending: progress.objects.pending,
      },
    },
    rate: job.recordsPerSecond,
    eta: job.eta,
    delayed: job.delayed && {
      cause: job.delayed.cause,
      code: job.delayed.error.code,
      message: job.delayed.error.message,
      attempt: job.delayed.attempt,
      retry_at: job.delayed.retryAt,
    },
    last_error: job.lastError,
    last_request: job.lastRequest,
    picked_up: job.pickedUp,
    diagnosis: presentVerdict(job.diagnosis),
    confirmation: job.confirmation && {
      total: job.confirmation.total,
      total_is_estimate: job.confirmation.totalIsEstimate,
      limit: job.confirmation.limit,
    },
    dry_run: job.dryRun && presentDryRun(job.dryRun),
    residue: job.residue && {
      records: {
        left: job.residue.records.left,
        other_id_types: job.residue.records.otherTypes,
        is_complete: job.residue.records.isComplete,
      },
      objects: job.residue.objects,
    },
    failures: job.failures,
    retained_keys: job.retained,
    trace_id: traceId,
    links: linksOf(job.id, job.traceparent, jaeger),
  };
}

/** What is known of a job from its acceptance. */
export function presentAcceptance(acceptance: Acceptance, jaeger?: string): PresentedJob {
  const { _id: id, tenant, time, request } = acceptance;
  const traceId = traceIdOf(acceptance.traceparent);
  return {
    id,
    tenant,
    resource: request.resource,
    status: 'queued',
    selection: presentSelection(viewOf(request.selection)),
    options: presentOptions(request.options),
    max_records_per_second: request.options.maxRecordsPerSecond ?? null,
    reason: request.reason,
    requested_by: request.requestedBy,
    requested_at: time,
    started_at: null,
    finished_at: null,
    completed_at: null,
    progress: {
      processed: 0,
      succeeded: 0,
      failed_count: 0,
      total: null,
      total_is_estimate: false,
      percent: null,
      objects: { purged: 0, retained: 0, failed: 0, pending: 0 },
    },
    rate: null,
    eta: null,
    delayed: null,
    last_error: null,
    last_request: null,
    picked_up: null,
    diagnosis: null,
    confirmation: null,
    dry_run: null,
    residue: null,
    failures: [],
    retained_keys: [],
    trace_id: traceId,
    links: linksOf(id, acceptance.traceparent, jaeger),
  };
}

export function presentAsOf(asOf: AsOf): PresentedAsOf {
  return {
    position: asOf.position,
    at: asOf.at,
    lag_ms: asOf.lagMs,
    monitor_heartbeat_age_ms: asOf.monitorHeartbeatAgeMs,
  };
}

export const seenByMonitor = (asOf: AsOf): Freshness => ({ as_of: presentAsOf(asOf), not_checked: [] });

/** Nothing of it comes from a monitor: progress may be further than is shown. */
export const notSeenByMonitor: Freshness = {
  as_of: { position: null, at: null, lag_ms: null, monitor_heartbeat_age_ms: null },
  not_checked: ['monitor'],
};

/** Beside what its acceptance tells of a job: status and progress are of then. */
export const noMonitorAnswers: PresentedJob['diagnosis'] = {
  code: 'MONITOR:STALE',
  severity: 'warning',
  since: null,
  summary: 'No monitor answers: this is the job as it was accepted, and what became of it is not known.',
};

export function viewOf(selection: Selection): SelectionView {
  if (!('ids' in selection)) return selection;
  return { idCount: selection.ids.length, firstIds: selection.ids.slice(0, FIRST_IDS) };
}

const presentOptions = (options: JobOptions) => ({
  batch_size: options.batchSize,
  max_records_per_second: options.maxRecordsPerSecond ?? null,
  verify: options.verify ?? 'sample',
  dry_run: options.dryRun ?? false,
  based_on: options.basedOn ?? null,
  expected_max_records: options.expectedMaxRecords ?? null,
});

function presentDryRun({ total, totalIsEstimate, sample }: DryRunFound): PresentedJob['dry_run'] {
  const shown = sample.map(({ id, objectKeys, failure = null }) => ({ id, object_keys: objectKeys, failure }));
  return { total, total_is_estimate: totalIsEstimate, sample: shown };
}

function presentSelection(selection: SelectionView): PresentedJob['selection'] {
  return 'idCount' in selection ? { id_count: selection.idCount, first_ids: selection.firstIds } : selection;
}
