import { type AnyMessage, type Positions, positions } from '@expunge/contracts';
import { ValidationError } from '@expunge/messaging';

/** One object: where its key stands in the batch's list, and the key. */
export interface Target {
  position: number;
  key: string;
}

/** What one message asks for: some or all objects of one batch. */
export interface PurgeWork {
  job: string;
  batch: number;
  targets: Target[];
  /** Undefined: S3_BUCKET. */
  bucket: string | undefined;
  /** RFC 3339. How long a purge is retried counts from here. */
  since: string;
  /** Of the job's retries, which one asks; undefined: none. */
  round: number | undefined;
  tenantid: string | undefined;
  traceparent: string | undefined;
}

/** @throws ValidationError the message asks for no purge, or its keys and positions do not match */
export function purgeWorkOf(message: AnyMessage): PurgeWork {
  const { subject: job, tenantid, traceparent } = message;
  switch (message.type) {
    case 'BatchDeleted': {
      const { batch, objectKeys, bucket } = message.data;
      const targets = objectKeys.map((key, position) => ({ position, key }));
      return { job, batch, targets, bucket, since: message.time, round: undefined, tenantid, traceparent };
    }
    case 'PurgeRequested': {
      const { batch, since, round, bucket } = message.data;
      const targets = targetsOf(message.type, message.data);
      return { job, batch, targets, bucket, since, round, tenantid, traceparent };
    }
    default:
      throw new ValidationError(`${message.type} asks for no purge`);
  }
}

/** @throws ValidationError keys and positions do not match; it names the message by `type` */
export function targetsOf(type: string, named: { positions: Positions; objectKeys: readonly string[] }): Target[] {
  const { objectKeys } = named;
  // Counted first: a range may be written that no loop should walk.
  const asked = positions.count(named.positions);
  if (asked !== objectKeys.length) {
    throw new ValidationError(`${type} names ${asked} positions and ${objectKeys.length} keys`);
  }
  return [...positions.each(named.positions)].map((position, i) => ({ position, key: objectKeys[i] ?? '' }));
}
