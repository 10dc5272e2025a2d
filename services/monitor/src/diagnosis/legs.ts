import {
  CancelRequested,
  ConfirmRequested,
  DeleteRequested,
  ObjectCheckRequested,
  PauseRequested,
  RateChangeRequested,
  ResumeRequested,
  RetryRequested,
  type ServiceName,
  VerificationRequested,
  BatchDeleted,
  type WorkQueue,
  workQueues,
} from '@expunge/contracts';
import type { JobProjection } from '../projection/job.js';
import { pendingObjects } from '../projection/moved.js';
import { isFinal, unanswered } from '../projection/status.js';
import { verificationOf } from '../projection/verification.js';
import { type JobInQuestion, QUIET_AFTER_MS } from './circumstances.js';

/** A part of a job's way on which something is due: who has to take it from which queue, and how it gets there. */
export interface Leg {
  part: 'start' | 'records' | 'preflight' | 'answer' | 'objects' | 'verification';
  service: ServiceName;
  queue: WorkQueue;
  /** Others that the service looks into before it goes on: without them it does not. */
  looksInto: readonly WorkQueue[];
  /** With which the message was, or would be, published; null: to the queue itself. */
  routingKey: string | null;
  /** In words, what is waited for. */
  awaits: string;
  since: Date;
  quietMs: number;
}

const { deleterJobs, deleterSlices, storageCleanerBatches } = workQueues;
const requestTypes = [
  PauseRequested,
  ResumeRequested,
  CancelRequested,
  RetryRequested,
  RateChangeRequested,
  ConfirmRequested,
];

/** What of the job is due at this moment, moving or not. */
export function legsOf({ job, movedAt }: JobInQuestion, now: Date): Leg[] {
  const leg = (part: Leg['part'], queue: WorkQueue, routingKey: string | null, since: Date, awaits: string): Leg => ({
    part,
    service: queue.service,
    queue,
    looksInto: part === 'records' ? [storageCleanerBatches] : [],
    routingKey,
    awaits,
    since,
    quietMs: Math.max(0, now.getTime() - since.getTime()),
  });
  const legs: Leg[] = [];
  const [asked] = unanswered(job);
  if (asked) {
    const routingKey = requestTypes.find(({ type }) => type === asked.type)?.routingKey ?? null;
    legs.push(leg('answer', deleterJobs, routingKey, latest(movedAt.records, asked.at), `an answer to ${asked.type}`));
  }
  if (job.status === 'queued') {
    legs.push(leg('start', deleterJobs, DeleteRequested.routingKey, movedAt.records, 'a deleter that takes it on'));
  }
  if (job.stage?.name === 'running') {
    legs.push(leg('records', deleterSlices, null, movedAt.records, 'the next batch of records'));
  }
  if (waitsForBucket(job)) {
    // Asked of those that consume it, by another queue.
    legs.push(leg('preflight', storageCleanerBatches, null, movedAt.records, "a storage-cleaner's word on the bucket"));
  }
  const pending = pendingObjects(job);
  if (pending > 0) {
    const awaits = `${pending} objects to be purged`;
    legs.push(leg('objects', storageCleanerBatches, BatchDeleted.routingKey, movedAt.objects, awaits));
  }
  if (job.status === 'verifying') legs.push(verificationLeg(job, movedAt, leg));
  return legs;
}

function verificationLeg(
  job: JobProjection,
  { records, objects }: JobInQuestion['movedAt'],
  leg: (part: Leg['part'], queue: WorkQueue, key: string | null, since: Date, awaits: string) => Leg,
): Leg {
  const since = records > objects ? records : objects;
  return verificationOf(job)?.records == null
    ? leg('verification', deleterJobs, VerificationRequested.routingKey, since, 'a look at what records are left')
    : leg(
        'verification',
        storageCleanerBatches,
        ObjectCheckRequested.routingKey,
        since,
        'a look at what objects are left',
      );
}

const waitsForBucket = ({ stage, delay, progressedAt }: JobProjection): boolean =>
  stage?.name === 'running' && delay?.cause === 'preflight' && delay.sequence > progressedAt;

export const isQuiet = ({ quietMs }: Leg): boolean => quietMs >= QUIET_AFTER_MS;

/** A job of which nothing is due has come to its end. */
export const isOver = (job: JobProjection): boolean => isFinal(job.status) && unanswered(job).length === 0;

const latest = (moved: Date, at: string): Date => (Date.parse(at) > moved.getTime() ? new Date(at) : moved);
