import { type AnyMessage, BatchDeleted, PurgeRequested, SliceDue } from '@expunge/contracts';
import { ValidationError } from '@expunge/messaging';
import { expect, test } from '@jest/globals';
import { purgeWorkOf } from './purge-work.js';

const envelope = {
  id: 'job-1:7',
  source: 'urn:expunge:deleter',
  subject: 'job-1',
  time: '2026-11-23T10:00:00.000Z',
  tenantid: 't1',
  traceparent: '00-aa-bb-01',
};
const since = '2026-11-23T09:00:00.000Z';
const requested = (positions: [number, number][], objectKeys: string[]) =>
  PurgeRequested.create({ ...envelope, data: { batch: 3, positions, objectKeys, since } });

test('a deleted batch asks for all its keys, counted from its own time', () => {
  const totals = { batches: 3, succeeded: 6, failed: 0, objects: 2, retained: 1 };
  const data = { batch: 3, count: 2, objectKeys: ['a', 'b'], retained: ['kept'], failures: [], totals };
  const message = BatchDeleted.create({ ...envelope, data: { ...data, instance: 'd1', turn: 1, startedAt: since } });
  expect(purgeWorkOf(message)).toEqual({
    job: 'job-1',
    batch: 3,
    targets: [
      { position: 0, key: 'a' },
      { position: 1, key: 'b' },
    ],
    since: envelope.time,
    tenantid: 't1',
    traceparent: '00-aa-bb-01',
  });
});

test('a purge request asks for its positions, counted from when the batch was handed over', () => {
  const work = purgeWorkOf(
    requested(
      [
        [4, 5],
        [9, 9],
      ],
      ['e', 'f', 'j'],
    ),
  );
  expect(work.targets).toEqual([
    { position: 4, key: 'e' },
    { position: 5, key: 'f' },
    { position: 9, key: 'j' },
  ]);
  expect(work.since).toBe(since);
});

test('both name the bucket that the message names', () => {
  const totals = { batches: 3, succeeded: 6, failed: 0, objects: 1, retained: 0 };
  const of = { batch: 3, objectKeys: ['a'], bucket: 'acme-invoices' };
  const batch = { ...of, count: 2, retained: [], failures: [], totals, instance: 'd1', turn: 1, startedAt: since };
  const deleted = BatchDeleted.create({ ...envelope, data: batch });
  const again = PurgeRequested.create({ ...envelope, data: { ...of, positions: [[0, 0]], since } });
  expect([deleted, again].map((message) => purgeWorkOf(message).bucket)).toEqual([of.bucket, of.bucket]);
  expect(purgeWorkOf(requested([[0, 0]], ['a'])).bucket).toBeUndefined();
});

test.each([
  ['fewer keys than positions', requested([[0, Number.MAX_SAFE_INTEGER - 1]], ['a'])],
  ['more keys than positions', requested([[0, 0]], ['a', 'b'])],
  ['another message', SliceDue.create({ ...envelope, data: { lane: 0, turn: 1 } })],
])('%s is refused for good', (_what, message) => {
  expect(() => purgeWorkOf(message as AnyMessage)).toThrow(ValidationError);
});
