import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConflictError, NotFoundError, TransientError, ValidationError } from './errors.js';
import { UnroutableError } from './publish-errors.js';
import { type Circumstances, describeError, type Outcome, settlementOf } from './settlement.js';

const HOUR = 3_600_000;
const now = Date.parse('2026-11-23T12:00:00.000Z');
const first: Circumstances = {
  attempt: 1,
  unexpected: 0,
  firstAttemptAt: now,
  now,
  storeRetryForMs: 24 * HOUR,
  retries: true,
};
const failed = (error: unknown): Outcome => ({ kind: 'failed', error });
const away = failed(new TransientError('RECORDS_UNAVAILABLE', 'no primary'));
const bug = failed(new TypeError('x is undefined'));

describe('settlement', () => {
  it.each<[string, Outcome, Partial<Circumstances>, unknown]>([
    ['what is done is acknowledged', { kind: 'done' }, {}, { settle: 'ack' }],
    [
      'what somebody else moved on from is acknowledged',
      failed(new ConflictError('revision 4')),
      {},
      { settle: 'drop', reason: 'ConflictError: revision 4' },
    ],
    [
      'what can never succeed is parked at the first attempt',
      failed(new ValidationError('notAfter is past')),
      {},
      { settle: 'park', reason: 'ValidationError: notAfter is past' },
    ],
    [
      'what speaks of nothing there is is parked at the first attempt',
      failed(new NotFoundError('no resource x')),
      {},
      { settle: 'park', reason: 'NotFoundError: no resource x' },
    ],
    [
      'what cannot be read is parked at the first attempt',
      { kind: 'unreadable', reason: 'the body is not JSON' },
      {},
      { settle: 'park', reason: 'the body is not JSON' },
    ],
    [
      'what cannot be read is not quoted at length',
      { kind: 'unreadable', reason: `unknown type ${'x\n'.repeat(70_000)}` },
      {},
      { settle: 'park', reason: `unknown type ${'x '.repeat(493)}…` },
    ],
    [
      'a bug is tried again',
      bug,
      {},
      {
        settle: 'retry',
        tier: 2,
        next: { attempt: 2, unexpected: 1, firstAttemptAt: now },
        reason: 'TypeError: x is undefined',
      },
    ],
    [
      'a bug is parked when it fails for the fifth time',
      bug,
      { attempt: 5, unexpected: 4 },
      { settle: 'park', reason: 'failed 5 times, last: TypeError: x is undefined' },
    ],
    [
      'a bug after a hundred attempts that waited for a store is the first bug',
      bug,
      { attempt: 101, unexpected: 0 },
      {
        settle: 'retry',
        tier: 30,
        next: { attempt: 102, unexpected: 1, firstAttemptAt: now },
        reason: 'TypeError: x is undefined',
      },
    ],
    [
      'waiting for a store leaves the count of bugs as it is',
      away,
      { attempt: 3, unexpected: 2 },
      {
        settle: 'retry',
        tier: 8,
        next: { attempt: 4, unexpected: 2, firstAttemptAt: now },
        reason: 'TransientError RECORDS_UNAVAILABLE: no primary',
      },
    ],
    [
      'a publish nobody took is waited for like a store',
      failed(new UnroutableError('NO_ROUTE')),
      {},
      {
        settle: 'retry',
        tier: 2,
        next: { attempt: 2, unexpected: 0, firstAttemptAt: now },
        reason: 'UnroutableError BROKER_UNROUTABLE: NO_ROUTE',
      },
    ],
    [
      'a store is waited for until its time is over',
      away,
      { attempt: 2880, firstAttemptAt: now - 24 * HOUR + 1 },
      {
        settle: 'retry',
        tier: 30,
        next: { attempt: 2881, unexpected: 0, firstAttemptAt: now - 24 * HOUR + 1 },
        reason: 'TransientError RECORDS_UNAVAILABLE: no primary',
      },
    ],
    [
      'a store that stayed away for all that time parks the message',
      away,
      { attempt: 2880, firstAttemptAt: now - 24 * HOUR },
      { settle: 'park', reason: 'tried for 24 h, last: TransientError RECORDS_UNAVAILABLE: no primary' },
    ],
    [
      'what was thrown need not be an error',
      failed({ oops: 1 }),
      {},
      {
        settle: 'retry',
        tier: 2,
        next: { attempt: 2, unexpected: 1, firstAttemptAt: now },
        reason: 'threw { oops: 1 }',
      },
    ],
    [
      'a transient queue keeps nothing that failed',
      bug,
      { retries: false },
      { settle: 'drop', reason: 'TypeError: x is undefined' },
    ],
    [
      'a transient queue keeps nothing unreadable',
      { kind: 'unreadable', reason: 'unknown type X' },
      { retries: false },
      { settle: 'drop', reason: 'unknown type X' },
    ],
  ])('%s', (_title, outcome, circumstances, verdict) => {
    expect(settlementOf(outcome, { ...first, ...circumstances })).toEqual(verdict);
  });

  it.each([
    [1, 2],
    [2, 4],
    [3, 8],
    [4, 16],
    [5, 30],
    [6, 30],
    [1000, 30],
  ])('attempt %i is followed by the tier of %i s', (attempt, tier) => {
    expect(settlementOf(away, { ...first, attempt })).toMatchObject({ settle: 'retry', tier });
  });

  it('ends for every bug, whatever failed in between', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(away, bug), { minLength: 1, maxLength: 60 }), (failures) => {
        let attempts = { attempt: 1, unexpected: 0, firstAttemptAt: now };
        let bugs = 0;
        for (const failure of failures) {
          if (failure === bug) bugs += 1;
          const verdict = settlementOf(failure, { ...first, ...attempts });
          expect(verdict.settle).toBe(bugs >= 5 ? 'park' : 'retry');
          if (verdict.settle !== 'retry') return;
          expect(verdict.next.attempt).toBe(attempts.attempt + 1);
          attempts = verdict.next;
        }
      }),
    );
  });

  it('gives a reason that fits a header on one line', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string({ maxLength: 3000 }), (thrown, message) => {
        for (const reason of [describeError(thrown), describeError(new Error(message))]) {
          expect(reason.length).toBeLessThanOrEqual(1000);
          expect(reason).not.toMatch(/[\r\n]/);
        }
      }),
    );
  });
});
