import { expect, test } from '@jest/globals';
import { type Disposition, dispositionOf } from './disposition.js';

test.each<[code: string, status: number | null, Disposition]>([
  ['NoSuchKey', null, 'gone'],
  ['NoSuchKey', 404, 'gone'],
  // Per key, inside a 200.
  ['AccessDenied', null, 'denied'],
  ['ObjectLockedByBucketPolicy', null, 'denied'],
  ['KEY_NOT_SENDABLE', null, 'denied'],
  ['InvalidArgument', null, 'malformed'],
  ['KeyTooLongError', null, 'malformed'],
  ['InternalError', null, 'transient'],
  ['SlowDown', null, 'transient'],
  ['NOT_ANSWERED', null, 'transient'],
  ['NO_CODE', null, 'transient'],
  // Of a whole call.
  ['AccessDenied', 403, 'denied'],
  ['SignatureDoesNotMatch', 403, 'transient'],
  ['InvalidAccessKeyId', 403, 'transient'],
  ['Unauthorized', 401, 'transient'],
  ['HTTP_401', 401, 'denied'],
  ['HTTP_403', 403, 'denied'],
  ['RequestTimeTooSkewed', 403, 'transient'],
  ['MalformedXML', 400, 'malformed'],
  ['InvalidRequest', 400, 'transient'],
  ['ExpiredToken', 400, 'transient'],
  ['NoSuchBucket', 404, 'transient'],
  ['TooManyRequests', 429, 'transient'],
  ['InternalError', 500, 'transient'],
  ['ServiceUnavailable', 503, 'transient'],
  ['SlowDown', 503, 'transient'],
  ['TIMEOUT', null, 'transient'],
  ['CONNECTION_RESET', null, 'transient'],
  ['UNREACHABLE', null, 'transient'],
  // Names that every object has are no codes of ours.
  ['constructor', null, 'transient'],
])('%s with status %s is %s', (code, status, disposition) => {
  expect(dispositionOf({ code, status })).toBe(disposition);
});
