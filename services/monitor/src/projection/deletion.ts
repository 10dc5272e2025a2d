import type { Totals } from '@expunge/contracts';
import { positions } from '@expunge/contracts';
import { type JobProjection, RECENT_SECONDS, type RequestFacts, SAMPLE_SIZE, type Stage } from './job.js';
import { compareText, keepFirst, latest } from './order.js';
import { FIRST_KEYS, type LedgerMessage, type MessageNamed } from './recorded.js';

/** What any event with a sequence tells: that it was heard, and what is missing below it. */
export function heard(job: JobProjection, sequence: number): JobProjection {
  const all = positions.union(job.heard, [[sequence, sequence]]);
  const [first] = all;
  return { ...job, heard: all, sequence: first?.[0] === 1 ? first[1] : 0 };
}

export function progressed(job: JobProjection, sequence: number): JobProjection {
  return { ...job, progressedAt: Math.max(job.progressedAt, sequence) };
}

export function workedOn(job: JobProjection, sequence: number, instance: string, at: string): JobProjection {
  return { ...job, worker: latest(job.worker, { sequence, instance, at }) };
}

export function atStage(job: JobProjection, sequence: number, name: Stage, at: string): JobProjection {
  return { ...job, stage: latest(job.stage, { sequence, name, at }) };
}

export function counted(job: JobProjection, sequence: number, totals: Totals, at: string): JobProjection {
  const { batches, succeeded, failed, objects, retained } = totals;
  return {
    ...job,
    totals: latest(job.totals, { sequence, batches, succeeded, failed, objects, retained }),
    recent: withPoint(job.recent, { second: Math.floor(Date.parse(at) / 1000), processed: succeeded + failed }),
  };
}

type Point = JobProjection['recent'][number];

function withPoint(recent: Point[], point: Point): Point[] {
  const same = recent.find((known) => known.second === point.second);
  if (same && same.processed >= point.processed) return recent;
  const others = recent.filter((known) => known.second !== point.second);
  return [...others, point].sort((a, b) => a.second - b.second).slice(-RECENT_SECONDS);
}

export function asked(job: JobProjection, message: MessageNamed<'DeleteRequested'>): JobProjection {
  if (job.request?.told === 'started') return job;
  return withRequest(job, requestFacts('requested', message.data, message.time));
}

export function startedWith(
  job: JobProjection,
  sequence: number,
  message: MessageNamed<'DeletionStarted'>,
): JobProjection {
  const { request, requestedAt, instance, total, totalIsEstimate } = message.data;
  const begun = { sequence, instance, at: message.time, total, totalIsEstimate };
  const stale = job.started !== null && job.started.sequence >= sequence;
  const told = stale ? job : withRequest(job, requestFacts('started', request, requestedAt));
  return { ...told, started: latest(job.started, begun) };
}

export function awaitsConfirmation(
  job: JobProjection,
  sequence: number,
  { data: { total, totalIsEstimate, limit } }: MessageNamed<'ConfirmationAwaited'>,
): JobProjection {
  return { ...job, confirmation: latest(job.confirmation ?? null, { sequence, total, totalIsEstimate, limit }) };
}

export function dryRunFinished(
  job: JobProjection,
  sequence: number,
  { data: { total, totalIsEstimate, sample } }: MessageNamed<'DryRunFinished'>,
): JobProjection {
  return { ...job, dryRun: latest(job.dryRun ?? null, { sequence, total, totalIsEstimate, sample }) };
}

function withRequest(job: JobProjection, request: RequestFacts): JobProjection {
  return { ...job, request };
}

function requestFacts(
  told: RequestFacts['told'],
  request: MessageNamed<'DeleteRequested'>['data'],
  requestedAt: string,
): RequestFacts {
  const { resource, selection, options, requestedBy, reason } = request;
  const view =
    'ids' in selection ? { idCount: selection.ids.length, firstIds: selection.ids.slice(0, SAMPLE_SIZE) } : selection;
  const notAfter = new Date(request.notAfter).toISOString();
  return { told, resource, selection: view, options, requestedBy, reason, requestedAt, notAfter };
}

export function sampled(job: JobProjection, sequence: number, message: MessageNamed<'BatchDeleted'>): JobProjection {
  const failures = message.data.failures
    .slice(0, SAMPLE_SIZE)
    .map((failure, place) => ({ sequence, place, ...failure }));
  const retained = message.data.retained.first.slice(0, FIRST_KEYS).map((key, place) => ({ sequence, place, key }));
  return {
    ...job,
    failures: keepFirst(job.failures, failures, byPlace, SAMPLE_SIZE),
    retained: keepFirst(job.retained, retained, byPlace, SAMPLE_SIZE),
  };
}

type Place = { sequence: number; place: number };
const byPlace = (a: Place, b: Place) => a.sequence - b.sequence || a.place - b.place;

export function tenantOf(job: JobProjection, message: LedgerMessage): string | null {
  const told = message.tenantid ?? null;
  if (told === null || job.tenant === null) return told ?? job.tenant;
  return compareText(told, job.tenant) < 0 ? told : job.tenant;
}
