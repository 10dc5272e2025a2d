import type { Message } from '@expunge/contracts';
import { expect, test } from '@jest/globals';
import type { Answer } from '../object-store/object-store.js';
import { purgeOutcomeOf } from './purge-outcome.js';
import { purgeReportOf, type ReportContext, type ReportStep } from './purge-report.js';
import type { PurgeWork } from './purge-work.js';

const since = '2026-11-23T10:00:00.000Z';
const at = (seconds: number) => new Date(Date.parse(since) + seconds * 1000);
const context: ReportContext = { attempt: 1, now: at(1), retryForMs: 86_400_000, instance: 'cleaner-1' };
const work: PurgeWork = {
  job: 'job-1',
  batch: 3,
  targets: ['a', 'b', 'c', 'd', 'e'].map((key, i) => ({ position: 10 + i, key })),
  since,
  bucket: undefined,
  round: undefined,
  tenantid: 't1',
  traceparent: undefined,
};
const errors = (codes: Record<string, string>) =>
  Object.entries(codes).map(([key, code]) => ({ key, code, message: `${code} said`, status: null }));
const outcomeOf = (deleted: string[], codes: Record<string, string>) => {
  const answer: Answer = { kind: 'answered', deleted, errors: errors(codes) };
  return purgeOutcomeOf([{ targets: work.targets, answer }]);
};
const mixed = outcomeOf(['a', 'c'], { b: 'AccessDenied', d: 'SlowDown', e: 'InternalError' });
const messages = (steps: ReportStep[]) => steps.map(({ message }) => message);
const summary = (steps: ReportStep[]) =>
  messages(steps).map(({ type, data }) => {
    const { positions, code } = data as { positions: unknown; code?: string };
    return [type, positions, ...(code === undefined ? [] : [code])];
  });

test('the delays, what is purged and each refusal go out before the retry copy', () => {
  const steps = purgeReportOf(work, mixed, context);
  expect(summary(steps)).toEqual([
    ['ObjectPurgeDelayed', [[13, 13]], 'SlowDown'],
    ['ObjectPurgeDelayed', [[14, 14]], 'InternalError'],
    [
      'ObjectsPurged',
      [
        [10, 10],
        [12, 12],
      ],
    ],
    ['ObjectPurgeFailed', [[11, 11]], 'AccessDenied'],
    ['PurgeRequested', [[13, 14]]],
  ]);
  expect(steps.map(({ to }) => to)).toEqual(['exchange', 'exchange', 'exchange', 'exchange', 'retry']);
});

test('the retry copy carries what remains and since when; the delay says until when', () => {
  const steps = purgeReportOf(work, mixed, { ...context, attempt: 3 });
  const [delayed, copy] = [steps[0], steps.at(-1)];
  expect(copy).toMatchObject({ to: 'retry', attempt: 4, tier: 8 });
  expect(copy!.message.data).toEqual({ batch: 3, positions: [[13, 14]], objectKeys: ['d', 'e'], since });
  expect(delayed!.message).toMatchObject({
    subject: 'job-1',
    tenantid: 't1',
    time: at(1).toISOString(),
    data: { attempt: 3, retryAt: at(9).toISOString(), instance: 'cleaner-1', message: 'SlowDown said' },
  });
});

test.each([
  [undefined, 1],
  ['acme-invoices', 2],
])('the retry copy of a batch in the bucket %s names it, in version %i', (bucket, version) => {
  const { message } = purgeReportOf({ ...work, bucket }, mixed, context).at(-1)!;
  expect(message.dataschema).toBe(`urn:expunge:PurgeRequested:${version}`);
  expect(message.data).toEqual({
    batch: 3,
    positions: [[13, 14]],
    objectKeys: ['d', 'e'],
    since,
    ...(bucket !== undefined && { bucket }),
  });
});

test.each([
  [1, 2],
  [2, 4],
  [3, 8],
  [4, 16],
  [5, 30],
  [6, 30],
  [700, 30],
])('after attempt %i it waits %i s', (attempt, tier) => {
  expect(purgeReportOf(work, mixed, { ...context, attempt }).at(-1)).toMatchObject({ attempt: attempt + 1, tier });
});

test.each([
  ['one second early', 5, 86_399, false],
  ['in time', 5, 86_400, true],
  ['late, but not yet on the last tier', 4, 90_000, false],
  ['late at its first attempt, since it waited in the queue', 1, 90_000, false],
])('what is refused %s is given up: attempt %i after %i s', (_when, attempt, seconds, over) => {
  const steps = purgeReportOf(work, mixed, { ...context, attempt, now: at(seconds) });
  expect(steps.some(({ to }) => to === 'retry')).toBe(!over);
  const failed = summary(steps).filter(([type]) => type === 'ObjectPurgeFailed');
  expect(failed.map(([, , code]) => code)).toEqual(
    over ? ['AccessDenied', 'TIMED_OUT_SlowDown', 'TIMED_OUT_InternalError'] : ['AccessDenied'],
  );
});

test('nothing is said of nothing', () => {
  expect(purgeReportOf({ ...work, targets: [] }, purgeOutcomeOf([]), context)).toEqual([]);
});

test('a message of the store that is long is cut', () => {
  const outcome = purgeOutcomeOf([
    {
      targets: work.targets,
      answer: { kind: 'refused', refusal: { code: 'AccessDenied', message: 'x'.repeat(9000), status: 403 } },
    },
  ]);
  expect((messages(purgeReportOf(work, outcome, context))[0]!.data as { message: string }).message).toHaveLength(300);
});

const idsOf = (all: Message[]) => all.map(({ id }) => id);

test('the same answers to a redelivery, at another time and instance, have the same ids; a delay promises anew', () => {
  const first = messages(purgeReportOf(work, mixed, context));
  const second = messages(purgeReportOf(work, mixed, { ...context, now: at(700), instance: 'cleaner-2' }));
  expect(idsOf(second.slice(2))).toEqual(idsOf(first.slice(2)));
  expect(new Set(idsOf([...first, ...second.slice(0, 2)])).size).toBe(first.length + 2);
});

test('a crash after a first report: what the redelivery says more has an id of its own', () => {
  const first = purgeReportOf(work, mixed, context);
  const redelivered = purgeReportOf(work, outcomeOf(['a', 'b', 'c', 'd', 'e'], {}), context);
  expect(summary(redelivered)).toEqual([['ObjectsPurged', [[10, 14]]]]);
  expect(idsOf(messages(first))).not.toContain(redelivered[0]!.message.id);
});

test('a retry asked for by a person that is refused again is another event', () => {
  const outcome = outcomeOf(['a', 'c', 'd', 'e'], { b: 'AccessDenied' });
  const failed = (of: PurgeWork) => messages(purgeReportOf(of, outcome, context)).at(-1)!;
  expect(failed(work).type).toBe('ObjectPurgeFailed');
  expect(failed({ ...work, since: at(3600).toISOString() }).id).not.toBe(failed(work).id);
});
