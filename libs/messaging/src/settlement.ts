import { inspect } from 'node:util';
import { tierOf, type RetryTier } from '@expunge/contracts';
import type { Attempts } from './attempt-headers.js';
import { ConflictError, NotFoundError, TransientError, ValidationError } from './errors.js';

/** A bug is tried this often: another instance, or a moment later, may not have it. */
export const UNEXPECTED_ATTEMPTS = 5;

/** A larger body is parked unread: reading it would cost more than any message of ours is worth. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;

export type Outcome =
  | { kind: 'done' }
  | { kind: 'failed'; error: unknown }
  /** Not JSON, no envelope, an unknown type or version, data that does not fit, or too large to look at. */
  | { kind: 'unreadable'; reason: string };

export interface Circumstances extends Attempts {
  /** Milliseconds since 1970. */
  now: number;
  storeRetryForMs: number;
  /** False on a transient queue, which has neither tiers nor a parking queue. */
  retries: boolean;
}

export type Verdict =
  | { settle: 'ack' }
  /** Acknowledged, though nothing came of it. */
  | { settle: 'drop'; reason: string }
  /** A copy to the tier, then an ack of this one. */
  | { settle: 'retry'; tier: RetryTier; next: Attempts; reason: string }
  /** The same bytes to the parking queue, then an ack of this one. */
  | { settle: 'park'; reason: string };

/** What becomes of a delivery. The table is in errors.ts. */
export function settlementOf(outcome: Outcome, circumstances: Circumstances): Verdict {
  if (outcome.kind === 'done') return { settle: 'ack' };
  const reason = outcome.kind === 'unreadable' ? shortened(outcome.reason) : describeError(outcome.error);
  if (outcome.kind === 'failed' && outcome.error instanceof ConflictError) return { settle: 'drop', reason };
  if (!circumstances.retries) return { settle: 'drop', reason };
  if (outcome.kind === 'unreadable') return { settle: 'park', reason };
  return settlementOfFailure(outcome.error, reason, circumstances);
}

function settlementOfFailure(error: unknown, reason: string, circumstances: Circumstances): Verdict {
  const { attempt, firstAttemptAt, now, storeRetryForMs } = circumstances;
  if (error instanceof ValidationError || error instanceof NotFoundError) return { settle: 'park', reason };
  const waitable = error instanceof TransientError;
  const unexpected = circumstances.unexpected + (waitable ? 0 : 1);
  if (waitable && now - firstAttemptAt >= storeRetryForMs) {
    return { settle: 'park', reason: `tried for ${duration(storeRetryForMs)}, last: ${reason}` };
  }
  if (unexpected >= UNEXPECTED_ATTEMPTS) {
    return { settle: 'park', reason: `failed ${unexpected} times, last: ${reason}` };
  }
  return { settle: 'retry', tier: tierOf(attempt), next: { attempt: attempt + 1, unexpected, firstAttemptAt }, reason };
}

/** One line; a header has to hold it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${shortened(inspect(error, { depth: 1 }))}`;
  const code = error instanceof TransientError ? ` ${error.code}` : '';
  return shortened(`${error.name}${code}: ${error.message}`);
}

export function shortened(text: string, longest = 1000): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}

function duration(ms: number): string {
  return ms % 3_600_000 === 0 ? `${ms / 3_600_000} h` : `${Math.round(ms / 1000)} s`;
}
