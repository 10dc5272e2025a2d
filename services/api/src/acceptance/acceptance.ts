import { createHash } from 'node:crypto';
import { BrakedDeleteRequested, DeleteRequested, deleteRequestedId, hasBrakes } from '@expunge/contracts';
import { v5 } from 'uuid';
import type { JobRequest } from '../jobs/job-request.js';

/**
 * - `pending`: stored before anything was published; whether the broker has the request is not known.
 * - `accepted`: the broker confirmed it; it is published again while no monitor knows the job.
 * - `heard`: a monitor knows the job, and re-drives it.
 * - `refused`: no queue has it, and none will: the key is free for a new attempt.
 */
export type AcceptanceState = 'pending' | 'accepted' | 'heard' | 'refused';

/** What was promised, or is about to be: kept under the job's id, so that a repeated request finds it. */
export interface Acceptance {
  _id: string;
  tenant: string;
  /** Of what the client asked for; the same key with another hash is refused. */
  bodyHash: string;
  request: DeleteRequested['data'];
  /** DeleteRequested's time, the same at each publish: which records may go is bounded by it. */
  time: string;
  /** The first attempt's, the same at each publish. */
  traceparent?: string;
  state: AcceptanceState;
  /** Attempts to publish begun so far, by whichever process. Only grows: it is what writes are conditional on. */
  attempts: number;
  /** The first of the attempts since which nothing is known to have failed for certain. */
  openSince: number;
  /** Since it was accepted: when a monitor is asked (again) whether it knows the job. */
  lookAt?: string;
  /** How often it was published again because none did. */
  publishedAgain?: number;
}

export interface Asked {
  tenant: string;
  requestedBy: string;
  request: JobRequest;
}

export function newAcceptance(
  id: string,
  asked: Asked,
  now: Date,
  validForMs: number,
  traceparent?: string,
): Acceptance {
  return {
    _id: id,
    tenant: asked.tenant,
    bodyHash: bodyHashOf(asked.request),
    request: {
      ...asked.request,
      requestedBy: asked.requestedBy,
      notAfter: new Date(now.getTime() + validForMs).toISOString(),
    },
    time: now.toISOString(),
    ...(traceparent !== undefined && { traceparent }),
    state: 'pending',
    attempts: 1,
    openSince: 1,
  };
}

/** With the rate of a job that asks for none. It is not compared when the key is used again: it may be another by then. */
export function withDefaultRate(acceptance: Acceptance, rate: number | undefined): Acceptance {
  const { request } = acceptance;
  if (rate === undefined || request.options.maxRecordsPerSecond !== undefined) return acceptance;
  return { ...acceptance, request: { ...request, options: { ...request.options, maxRecordsPerSecond: rate } } };
}

export type NextStep = 'begin' | 'begin-again' | 'join' | 'answer' | 'refuse-other-body';

/**
 * What a request does about the acceptance it finds under its id.
 * A pending one is joined: its process may have died before or after publishing, and publishing twice is harmless.
 * Past its notAfter it begins again: the deleter would refuse it.
 */
export function nextStep(found: Acceptance | null, bodyHash: string, now: Date): NextStep {
  if (!found) return 'begin';
  if (found.bodyHash !== bodyHash) return 'refuse-other-body';
  if (found.state === 'pending' && Date.parse(found.request.notAfter) <= now.getTime()) return 'begin-again';
  return ({ pending: 'join', accepted: 'answer', heard: 'answer', refused: 'begin-again' } as const)[found.state];
}

/** Whether somebody may have been told 202: it will be carried out. */
export function isPromised({ state }: Pick<Acceptance, 'state'>): boolean {
  return state === 'accepted' || state === 'heard';
}

/**
 * An acceptance outlives its request's validity by a day: until then it may be published again, and its key finds it.
 * A monitor keeps a job for two, so that nobody is told of it from here when it is gone there.
 */
const PAST_VALIDITY_MS = 86_400_000;

/** Acceptances whose notAfter is before this are over. ISO 8601 with milliseconds. */
export function overBefore(now: Date): string {
  return new Date(now.getTime() - PAST_VALIDITY_MS).toISOString();
}

export function isOver({ request }: Pick<Acceptance, 'request'>, now: Date): boolean {
  return request.notAfter < overBefore(now);
}

/** A new attempt under the id of one that is over, with a time of its own. Only a refused one left nothing behind. */
export function begunAgain(found: Acceptance, fresh: Acceptance): Acceptance {
  const attempts = found.attempts + 1;
  return { ...fresh, attempts, openSince: found.state === 'refused' ? attempts : found.openSince };
}

/** Whether "nobody has it" of this one attempt means that nobody has it at all. */
export function isOnlyAttempt(acceptance: Pick<Acceptance, 'attempts' | 'openSince'>): boolean {
  return acceptance.attempts === acceptance.openSince;
}

/** The message an acceptance stands for; made twice, it is the same message. */
export function deleteRequestedOf(acceptance: Acceptance): DeleteRequested {
  const definition = hasBrakes(acceptance.request.options) ? BrakedDeleteRequested : DeleteRequested;
  return definition.create({
    id: deleteRequestedId(acceptance._id),
    source: 'urn:expunge:api',
    subject: acceptance._id,
    time: acceptance.time,
    tenantid: acceptance.tenant,
    data: acceptance.request,
    traceparent: acceptance.traceparent,
  });
}

const NAMESPACE = '6f0f4a5e-8a3b-4d0c-9a53-3d1c7f6b2e10';

/** The same key of the same tenant is the same job, on whichever instance and however often. */
export function jobIdOfKey(tenant: string, key: string): string {
  return v5(JSON.stringify([tenant, key]), NAMESPACE);
}

export function bodyHashOf(request: JobRequest): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(request)))
    .digest('hex');
}

/** The order of an object's members says nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, member]) => [name, sorted(member)]);
}
