import { createHash } from 'node:crypto';
import {
  inBucket,
  type Message,
  ObjectPurgeDelayed,
  ObjectPurgeFailed,
  ObjectsPurged,
  type Positions,
  positions,
  PurgeRequested,
  purgeEventId,
  type RetryTier,
  tierOf,
} from '@expunge/contracts';
import { givenUp, positionsIn, type PurgeOutcome } from './purge-outcome.js';
import type { PurgeWork } from './purge-work.js';

/** One thing to send; each waits for the broker's confirm of the one before. */
export type ReportStep =
  { to: 'retry'; message: Message; attempt: number; tier: RetryTier } | { to: 'exchange'; message: Message };

export interface ReportContext {
  /** Of the delivery: 1 for the first. */
  attempt: number;
  now: Date;
  retryForMs: number;
  instance: string;
}

export const SOURCE = 'urn:expunge:storage-cleaner';

const LONGEST_MESSAGE = 300;

/**
 * Whether what is still refused is given up: only on the last tier, so that a message which waited in its queue
 * longer than the store may be away still gets more than one attempt.
 */
export function isOverdue(since: string, { attempt, now, retryForMs }: ReportContext): boolean {
  return tierOf(attempt) === tierOf(Infinity) && now.getTime() - Date.parse(since) >= retryForMs;
}

/**
 * What is said after an attempt, and in which order. The retry copy goes last: a step that fails or is cut off before it
 * leaves the delivery as the batch's one message, to be handled again whole; with the copy already out there would be
 * two, and each would become two again at its next attempt. What was said before is then said again, or more of it: an
 * event's id follows from what it says, so that costs a repetition, never a contradiction.
 */
export function purgeReportOf(work: PurgeWork, attempted: PurgeOutcome, context: ReportContext): ReportStep[] {
  const { purged, permanent, transient } = isOverdue(work.since, context) ? givenUp(attempted) : attempted;
  const { attempt, now, instance } = context;
  const { batch, since } = work;
  const round = work.round === undefined ? {} : { round: work.round };
  const time = now.toISOString();
  const envelope = (
    what: Parameters<typeof purgeEventId>[0]['what'],
    of: ReturnType<typeof positionsIn>,
    detail?: string,
  ) => ({
    id: purgeEventId(
      { job: work.job, batch, positions: of, what, ...(detail === undefined ? {} : { detail }) },
      sha256,
    ),
    source: SOURCE,
    subject: work.job,
    time,
    tenantid: work.tenantid,
    traceparent: work.traceparent,
  });

  const keys = new Map(work.targets.map(({ position, key }) => [position, key]));
  const keysAt = (of: Positions) => [...positions.each(of)].map((position) => keys.get(position) ?? '');
  const steps: ReportStep[] = [];
  const tier = tierOf(attempt);
  const retryAt = new Date(now.getTime() + tier * 1000).toISOString();
  for (const [code, refused] of transient) {
    const said = { batch, positions: refused.positions, instance, code, message: short(refused.message) };
    // With `retryAt`: a batch that is asked for again begins at attempt 1, with its first `since`, and promises anew.
    const fields = envelope('delayed', refused.positions, `${code}|${attempt}|${since}|${retryAt}`);
    const message = ObjectPurgeDelayed.create({ ...fields, data: { ...said, attempt, retryAt, ...round } });
    steps.push({ to: 'exchange', message });
  }
  if (purged.length > 0) {
    const data = { batch, positions: purged, instance };
    steps.push({ to: 'exchange', message: ObjectsPurged.create({ ...envelope('purged', purged), data }) });
  }
  for (const [code, refused] of permanent) {
    const said = { batch, positions: refused.positions, instance, code, message: short(refused.message) };
    const data = { ...said, ...round, objectKeys: keysAt(refused.positions) };
    // With `since`: a person's retry that is refused again is another event, not a repetition of the first refusal.
    const fields = envelope('failed', refused.positions, `${code}|${since}`);
    steps.push({ to: 'exchange', message: ObjectPurgeFailed.create({ ...fields, data }) });
  }
  const remaining = positionsIn(transient);
  if (remaining.length > 0) {
    const objectKeys = keysAt(remaining);
    const data = { batch, positions: remaining, objectKeys, since, ...round, ...inBucket(work.bucket) };
    const message = PurgeRequested.create({ ...envelope('again', remaining, `${attempt}|${since}`), data });
    steps.push({ to: 'retry', message, attempt: attempt + 1, tier });
  }
  return steps;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** As much of a store's words as an event carries. */
export function short(message: string): string {
  return message.slice(0, LONGEST_MESSAGE);
}
