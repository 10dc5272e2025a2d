import { expect, test } from '@jest/globals';
import { purgeLinesOf } from './purge-lines.js';
import { purgeOutcomeOf } from './purge-outcome.js';
import { purgeReportOf } from './purge-report.js';

const keys = Array.from({ length: 50 }, (_, i) => `tenants/t1/${i}.jpg`);
const work = {
  job: 'job-1',
  batch: 3,
  targets: keys.map((key, position) => ({ position, key })),
  since: '2026-11-23T10:00:00.000Z',
  bucket: undefined,
  round: undefined,
  tenantid: undefined,
  traceparent: undefined,
};
const context = { attempt: 1, now: new Date('2026-11-23T10:00:01.000Z'), retryForMs: 86_400_000, instance: 'c1' };
const lines = (codes: Record<number, string>) => {
  const errors = Object.entries(codes).map(([i, code]) => ({
    key: keys[Number(i)]!,
    code,
    message: 'why',
    status: null,
  }));
  const deleted = keys.filter((_, i) => codes[i] === undefined);
  const outcome = purgeOutcomeOf([{ targets: work.targets, answer: { kind: 'answered', deleted, errors } }]);
  return purgeLinesOf(work, purgeReportOf(work, outcome, context));
};

test('a batch without trouble is one line', () => {
  expect(lines({})).toEqual([
    { level: 'info', text: '50 deleted, 0 failed', fields: { deleted: 50, failed: 0, waiting: 0 } },
  ]);
});

test('each cause has a line, with the first key that cannot be deleted and no other', () => {
  const told = lines({ 4: 'AccessDenied', 5: 'AccessDenied', 9: 'SlowDown' });
  expect(told.map(({ text }) => text)).toEqual([
    '47 deleted, 2 failed, 1 to be tried again',
    '1 wait until 2026-11-23T10:00:03.000Z: SlowDown',
    '2 cannot be deleted: AccessDenied',
  ]);
  expect(told[2]!.fields).toEqual({ code: 'AccessDenied', reason: 'why', objects: 2, firstKey: 'tenants/t1/4.jpg' });
  expect(JSON.stringify(told).match(/tenants/g)).toHaveLength(1);
  expect(told.map(({ refusal }) => refusal?.code)).toEqual([undefined, 'SlowDown', 'AccessDenied']);
});
