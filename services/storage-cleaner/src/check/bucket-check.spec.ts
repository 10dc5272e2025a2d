import { expect, test } from '@jest/globals';
import type { Refusal, Versioning } from '../object-store/object-store.js';
import { bucketChecks } from './bucket-check.js';

const denied: Refusal = { code: 'AccessDenied', message: 'not you', status: 403 };

test.each<[Refusal | null, Versioning | Refusal, (boolean | null)[]]>([
  [null, 'off', [true, true]],
  [null, 'on', [true, false]],
  [null, 'suspended', [true, false]],
  // A token that may only delete and read cannot ask: that says nothing of the bucket.
  [null, denied, [true, null]],
  [denied, denied, [false, null]],
])('a bucket that said %j and %j is told as %j', (refusal, versioning, told) => {
  const checks = bucketChecks(refusal, versioning, undefined);
  expect(checks.map(({ check }) => check)).toEqual(['bucket', 'versioning']);
  expect(checks.map(({ ok }) => ok)).toEqual(told);
});

test('what is said of a bucket that a resource names has its name', () => {
  const [own, named] = [undefined, 'acme-invoices'].map((name) => bucketChecks(null, 'off', name)[0]?.detail);
  expect([own, named]).toEqual([
    'the bucket answers and lets us in',
    'the bucket acme-invoices answers and lets us in',
  ]);
});
