/**
 * What a handler may throw, and what settlement makes of it:
 *
 * | error                             | means                         | the message is                                |
 * |-----------------------------------|-------------------------------|-----------------------------------------------|
 * | `ValidationError` `NotFoundError` | it can never succeed          | parked, with reason                           |
 * | `TransientError`                  | a store or the broker is away | retried by tier, parked after STORE_RETRY_FOR |
 * | `ConflictError`                   | somebody else moved on        | dropped, acknowledged                         |
 * | anything else                     | a bug                         | retried by tier, parked after its 5th failure |
 *
 * Adapters translate their driver's errors into these once; nothing above an adapter reads driver codes.
 */
export class ValidationError extends Error {
  override readonly name = 'ValidationError';
}

export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
}

export class TransientError extends Error {
  override readonly name: string = 'TransientError';

  /** `code` is for people and for the diagnosis: `RECORDS_UNAVAILABLE`, `BROKER_UNAVAILABLE` … */
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}
