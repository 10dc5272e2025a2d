import { expect, test } from '@jest/globals';
import { isThrottled } from './throttled.js';

test.each<[code: string, status: number | null, busy: boolean]>([
  ['SlowDown', null, true],
  ['TooManyRequests', 429, true],
  ['HTTP_503', 503, true],
  ['InternalError', 500, false],
  ['AccessDenied', 403, false],
  ['TIMEOUT', null, false],
])('%s with status %s means that the bucket is busy: %s', (code, status, busy) => {
  expect(isThrottled({ code, status })).toBe(busy);
});
