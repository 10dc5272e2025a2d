import { receipts, type ResourceCheck } from '@expunge/contracts';
import { describe, expect, test } from '@jest/globals';
import { runningJob } from './given.js';
import { isBeforeFirstDelete, obstacleInBucket, obstacleInKeys } from './preflight.js';

const found = (bucket: boolean | null, versioning: boolean | null): ResourceCheck[] => [
  { check: 'bucket', ok: bucket, detail: 'AccessDenied: not you' },
  { check: 'versioning', ok: versioning, detail: 'versioning is on' },
];

describe('what is said of the bucket', () => {
  test.each<[string, ResourceCheck[] | null, object | null]>([
    ['all is well', found(true, true), null],
    ['it may not be asked whether it keeps versions', found(true, null), null],
    ['nobody has answered', null, { then: 'wait', error: { code: 'BUCKET_UNCHECKED' } }],
    ['it lets nobody in', found(false, null), { then: 'wait', error: { code: 'BUCKET_REFUSES', message: /not you/ } }],
    [
      'it keeps versions',
      found(true, false),
      { then: 'fail', error: { code: 'VERSIONED_BUCKET', message: /versioning is on.*accept-delete-markers/ } },
    ],
  ])('%s', (_, checks, obstacle) => {
    const said = obstacleInBucket(receipts, checks);
    if (obstacle === null) expect(said).toBeNull();
    else {
      const { then, error } = obstacle as { then: string; error: { code: string; message?: RegExp } };
      expect(said).toMatchObject({ then, error: { code: error.code } });
      expect(said?.error.message).toMatch(error.message ?? /./);
    }
  });

  test('versions are no obstacle where delete markers are meant, and whether it answers still counts', () => {
    const resource = { ...receipts, versionedBucket: 'accept-delete-markers' as const };
    expect(obstacleInBucket(resource, found(true, false))).toBeNull();
    expect(obstacleInBucket(resource, found(false, false))).toMatchObject({ error: { code: 'BUCKET_REFUSES' } });
  });
});

test.each([
  [{ keys: 0, outside: 0 }, null],
  [{ keys: 49, outside: 49 }, null],
  [{ keys: 1000, outside: 500 }, null],
  [
    { keys: 1000, outside: 501 },
    '501 of 1000 sampled keys do not begin with keyPrefix, tenants/{tenantId}/: more than MAX_FAILURE_SHARE',
  ],
])('of sampled keys %j', (sample, message) => {
  const obstacle = obstacleInKeys(receipts, sample, { maxShare: 0.5, minSample: 50 });
  expect(obstacle?.error.message ?? null).toBe(message);
});

test('looked at is a job of which nothing has gone, and nothing may be going', () => {
  const job = runningJob();
  expect(isBeforeFirstDelete(job)).toBe(true);
  expect(isBeforeFirstDelete({ ...job, totals: { ...job.totals, succeeded: 1 } })).toBe(false);
});
