import type { Refusal } from './object-store.js';

/**
 * What a refusal means for the object:
 *
 * | disposition | means                                              | the object is           |
 * |-------------|----------------------------------------------------|-------------------------|
 * | `gone`      | it was not there                                   | purged                  |
 * | `denied`    | the store will not, however often it is asked      | reported as failed      |
 * | `malformed` | the store cannot read the request                  | failed, if asked alone  |
 * | `transient` | away, busy, or set up wrongly: a person may fix it | asked for again         |
 */
export type Disposition = 'gone' | 'denied' | 'malformed' | 'transient';

const codes: Readonly<Record<string, Disposition>> = {
  NoSuchKey: 'gone',

  AccessDenied: 'denied',
  ObjectLockedByBucketPolicy: 'denied',
  ObjectLocked: 'denied',
  KEY_NOT_SENDABLE: 'denied',

  InvalidArgument: 'malformed',
  InvalidObjectName: 'malformed',
  InvalidURI: 'malformed',
  KeyTooLong: 'malformed',
  KeyTooLongError: 'malformed',
  MalformedXML: 'malformed',

  // A 401 or 403 that speaks of our clock or credentials, not of the object: whoever corrects them loses nothing.
  RequestTimeTooSkewed: 'transient',
  SignatureDoesNotMatch: 'transient',
  InvalidAccessKeyId: 'transient',
  Unauthorized: 'transient',
  InvalidToken: 'transient',
};

/** Whoever is not in the table is judged by the HTTP status; what nobody knows is asked for again, never given up unseen. */
export function dispositionOf({ code, status }: Pick<Refusal, 'code' | 'status'>): Disposition {
  return (
    (Object.hasOwn(codes, code) ? codes[code] : undefined) ??
    (status === 401 || status === 403 ? 'denied' : 'transient')
  );
}
