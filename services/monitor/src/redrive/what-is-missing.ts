import { type EventsWanted, type Positions, positions } from '@expunge/contracts';
import { type OpenBatch, resolvedBatches, unaccountedBatches } from '../projection/batch-blocks.js';
import type { JobProjection } from '../projection/job.js';
import {
  hasGap,
  heardSequences,
  isCompletionDue,
  isFinal,
  isVerificationDue,
  unanswered,
} from '../projection/status.js';
import { openChunks, verificationOf } from '../projection/verification.js';

export const missingKinds = [
  'gap',
  'queued',
  'batches',
  'tail',
  'silent',
  'unanswered',
  'verification',
  'completion',
  'removal',
] as const;
export type MissingKind = (typeof missingKinds)[number];

export type Ask =
  | { ask: 'events'; wanted: EventsWanted['data'] }
  /** The request, again: the deleter seems not to have got it. */
  | { ask: 'start' }
  /** What a person asked of the job, again. */
  | { ask: 'answers'; requests: string[] }
  /** To look for what is left, or for those chunks of it that nobody has answered. */
  | { ask: 'verification' }
  | { ask: 'completion' }
  /** That the deleter removes what it has of a job that has expired. */
  | { ask: 'removal'; sequence: number; position: number };

export interface Missing {
  kind: MissingKind;
  /** While this stays the same, asking has not helped, and the pauses grow. */
  fingerprint: string;
  /** How long it may be missing before it is asked for, in milliseconds from when that was first seen. */
  patienceMs: number;
  ask: Ask;
}

/** Most sequences or batches one request names: more are asked for when those arrived. */
const AT_ONCE = 200;
/** Past the storage-cleaner's last tier (30 s) and the attempt that follows. */
const BATCH_OVERDUE_MS = 60_000;
/** Nothing stands in its queue or its tiers: what it has not answered by then got lost, or is just in its hands. */
const BATCH_LOST_MS = 10_000;
/** So many later batches done, in a queue that is first in, first out: this one got lost. */
const OVERTAKEN_BY = 20;

/**
 * What the ledger lacks of a job, and how to get it. `told`: the last sequence a deleter's heartbeat names.
 * `cleanerIdle`: nothing stands in the storage-cleaner's queue or its tiers; asked only where `dependsOnCleaner`.
 */
export function whatIsMissing(job: JobProjection, told: number | null, cleanerIdle: boolean, now: Date): Missing[] {
  const completion: Missing = { kind: 'completion', fingerprint: '', patienceMs: 5000, ask: { ask: 'completion' } };
  return [
    ...gap(job),
    ...notStarted(job),
    ...unresolvedBatches(job, cleanerIdle, now),
    ...tail(job, told),
    ...silence(job, now),
    ...unansweredRequests(job),
    ...verification(job, cleanerIdle),
    ...(isCompletionDue(job) ? [completion] : []),
  ];
}

export const dependsOnCleaner = (job: JobProjection, now: Date): boolean =>
  isVerificationDue(job) || overdueBatches(job, now, BATCH_LOST_MS).length > 0;

/** A job that a deleter speaks of and of which nothing was ever heard here. */
export function unknownJob(told: number): Missing[] {
  return [afterSequence('tail', `0<${told}`, 0, 5000)];
}

/** Of a job that has expired. */
export function removal({ sequence, position }: JobProjection): Missing[] {
  const ask: Ask = { ask: 'removal', sequence, position };
  return [{ kind: 'removal', fingerprint: String(position), patienceMs: 0, ask }];
}

function gap(job: JobProjection): Missing[] {
  if (!hasGap(job)) return [];
  const sequences = firstOf(heardSequences(job).missing);
  return [
    {
      kind: 'gap',
      fingerprint: String(sequences[0]?.[0]),
      patienceMs: 2000,
      ask: { ask: 'events', wanted: { sequences } },
    },
  ];
}

function notStarted(job: JobProjection): Missing[] {
  if (job.request?.told !== 'requested' || job.heard.length > 0 || isFinal(job.status)) return [];
  return [{ kind: 'queued', fingerprint: '', patienceMs: 15_000, ask: { ask: 'start' } }];
}

function tail(job: JobProjection, told: number | null): Missing[] {
  const last = heardSequences(job).last;
  return told !== null && told > last ? [afterSequence('tail', String(last), last, 5000)] : [];
}

function unansweredRequests(job: JobProjection): Missing[] {
  const requests = unanswered(job)
    .map(({ id }) => id)
    .toReversed();
  if (requests.length === 0) return [];
  const ask: Ask = { ask: 'answers', requests };
  return [{ kind: 'unanswered', fingerprint: requests.join(' '), patienceMs: 15_000, ask }];
}

/** Also of a job of which no deleter was heard: it may be done, and all it said lost. */
function silence(job: JobProjection, now: Date): Missing[] {
  if (isFinal(job.status) || isPast(job.delay?.retryAt ?? null, now, 0) === false) return [];
  if (!isPast(job.updatedAt, now, 60_000)) return [];
  return [afterSequence('silent', String(job.position), heardSequences(job).last, 0)];
}

/** While anything stands in the storage-cleaner's queue, the chunks asked for may: each would only be answered twice. */
function verification(job: JobProjection, cleanerIdle: boolean): Missing[] {
  if (!isVerificationDue(job)) return [];
  const known = verificationOf(job);
  if (known?.records && !cleanerIdle) return [];
  const fingerprint = `${job.stage?.sequence ?? 0} ${known?.records ? positions.count(openChunks(known)) : 'records'}`;
  return [{ kind: 'verification', fingerprint, patienceMs: 10_000, ask: { ask: 'verification' } }];
}

function unresolvedBatches(job: JobProjection, cleanerIdle: boolean, now: Date): Missing[] {
  const patienceMs = cleanerIdle ? BATCH_LOST_MS : BATCH_OVERDUE_MS;
  const numbers = overdueBatches(job, now, patienceMs);
  if (numbers.length === 0) return [];
  const overtaken = positions.difference(numbers, [[overtakenBelow(resolvedBatches(job.batches)), Infinity]]);
  if (overtaken.length > 0) return [batches(`overtaken ${String(overtaken[0]?.[0])}`, overtaken, 0)];
  // They may just stand in a long queue: as long as any object of the job goes, nothing seems lost. While it stands
  // still, each batch asked for is one message more in it.
  const fingerprint = `stalled at ${job.objects.purged}+${job.objects.failed}`;
  return [batches(fingerprint, numbers, patienceMs, cleanerIdle ? AT_ONCE : 1)];
}

function overdueBatches(job: JobProjection, now: Date, afterMs: number): Positions {
  const overdue = [...unaccountedBatches(job.batches)].filter(([, batch]) => isOverdue(batch, now, afterMs));
  return positions.union(...overdue.map(([numbers]) => numbers));
}

function batches(fingerprint: string, numbers: Positions, patienceMs: number, atOnce = AT_ONCE): Missing {
  const ask: Ask = { ask: 'events', wanted: { batches: firstOf(numbers, atOnce) } };
  return { kind: 'batches', fingerprint, patienceMs, ask };
}

function isOverdue({ keys, deletedAt, retryAt }: OpenBatch, now: Date, afterMs: number): boolean {
  if (keys === null) return false;
  const isPast = (second: number | null) => second === null || second * 1000 + afterMs <= now.getTime();
  // A promised retry holds back: a storage-cleaner has the batch, and said so.
  return isPast(deletedAt) && isPast(retryAt);
}

/** The batch that has so many resolved ones from it on; 0 when there are too few. */
function overtakenBelow(resolved: Positions): number {
  let above = 0;
  for (const [from, to] of resolved.toReversed()) {
    above += to - from + 1;
    if (above >= OVERTAKEN_BY) return from + above - OVERTAKEN_BY;
  }
  return 0;
}

function afterSequence(kind: MissingKind, fingerprint: string, after: number, patienceMs: number): Missing {
  return { kind, fingerprint, patienceMs, ask: { ask: 'events', wanted: { after } } };
}

/** Null when there is no such time. */
function isPast(time: string | null, now: Date, byMs: number): boolean | null {
  return time === null ? null : Date.parse(time) + byMs <= now.getTime();
}

function firstOf(wanted: Positions, atOnce = AT_ONCE): Positions {
  const first: number[] = [];
  for (const number of positions.each(wanted)) {
    if (first.push(number) >= atOnce) break;
  }
  return positions.positionsOf(first);
}
