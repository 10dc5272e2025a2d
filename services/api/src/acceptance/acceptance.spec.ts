import { DeleteRequested } from '@expunge/contracts';
import { describe, expect, test } from '@jest/globals';
import {
  type Acceptance,
  bodyHashOf,
  begunAgain,
  deleteRequestedOf,
  isOnlyAttempt,
  jobIdOfKey,
  newAcceptance,
  nextStep,
} from './acceptance.js';

const request = {
  resource: 'receipts',
  selection: { filter: { total: { gt: 1, lt: 5 } } },
  options: { batchSize: 500 },
  reason: null,
};
const asked = { tenant: 'acme', requestedBy: 'ann', request };
const noon = new Date('2026-11-01T12:00:00.000Z');
const after = new Date('2026-11-08T12:00:00.000Z');
const first = newAcceptance('j1', asked, noon, 7 * 86_400_000);
const joined = (found: Acceptance): Acceptance => ({ ...found, attempts: found.attempts + 1 });

describe('an acceptance', () => {
  test('becomes the same message each time it is published, also by who joins later', () => {
    const message = deleteRequestedOf(first);
    expect(message).toMatchObject({
      id: 'j1:delete-requested',
      subject: 'j1',
      tenantid: 'acme',
      time: '2026-11-01T12:00:00.000Z',
      data: { ...request, requestedBy: 'ann', notAfter: '2026-11-08T12:00:00.000Z' },
    });
    expect(deleteRequestedOf(joined(first))).toEqual(message);
    expect(DeleteRequested.schema.parse(message)).toEqual(message);
  });

  test('is refused for certain only by an attempt that nobody joined', () => {
    expect(isOnlyAttempt(first)).toBe(true);
    expect(isOnlyAttempt(joined(first))).toBe(false);
  });

  test('begun again after a refusal has a time of its own, and is again its only attempt', () => {
    const later = newAcceptance('j1', asked, new Date(noon.getTime() + 5000), 1000);
    const again = begunAgain({ ...first, state: 'refused' }, later);
    expect(again).toEqual({ ...later, attempts: 2, openSince: 2 });
    expect(isOnlyAttempt(again)).toBe(true);
    expect(isOnlyAttempt(joined(again))).toBe(false);
  });

  test('begun again while it was pending is not the only attempt: an earlier one may have left a message', () => {
    const again = begunAgain(first, newAcceptance('j1', asked, after, 1000));
    expect(again).toMatchObject({ time: after.toISOString(), attempts: 2, openSince: 1 });
    expect(isOnlyAttempt(again)).toBe(false);
  });

  test.each([
    ['nothing', null, 'begin', 'begin'],
    ['a pending one', 'pending', 'join', 'begin-again'],
    ['an accepted one', 'accepted', 'answer', 'answer'],
    ['one that a monitor has heard of', 'heard', 'answer', 'answer'],
    ['a refused one', 'refused', 'begin-again', 'begin-again'],
  ] as const)('a request that finds %s goes on by it, before and from its notAfter', (_, state, before, from) => {
    const { bodyHash } = first;
    const found = state && { ...first, state };
    expect(nextStep(found, bodyHash, new Date(after.getTime() - 1))).toBe(before);
    expect(nextStep(found, bodyHash, after)).toBe(from);
    if (found) expect(nextStep(found, 'another', after)).toBe('refuse-other-body');
  });
});

describe('the body hash', () => {
  test('does not depend on the order of members', () => {
    const filter = { total: { lt: 5, gt: 1 } };
    expect(bodyHashOf({ reason: null, options: { batchSize: 500 }, selection: { filter }, resource: 'receipts' })).toBe(
      bodyHashOf(request),
    );
  });

  test.each([
    { ...request, resource: 'notes' },
    { ...request, selection: { all: true as const } },
    { ...request, selection: { filter: { total: { gt: 1, lt: 6 } } } },
    { ...request, selection: { filter: { total: { gt: 5, lt: 1 } } } },
    { ...request, options: { batchSize: 499 } },
    { ...request, reason: '' },
  ])('differs for %j', (other) => {
    expect(bodyHashOf(other)).not.toBe(bodyHashOf(request));
  });
});

describe('the job id of an idempotency key', () => {
  test('is the same for the same tenant and key', () => {
    expect(jobIdOfKey('acme', 'k')).toBe(jobIdOfKey('acme', 'k'));
    expect(jobIdOfKey('acme', 'k')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });

  test('differs by tenant and by where the tenant ends', () => {
    const ids = [jobIdOfKey('acme', 'k'), jobIdOfKey('acm', 'ek'), jobIdOfKey('acme', 'k2'), jobIdOfKey('other', 'k')];
    expect(new Set(ids).size).toBe(4);
  });
});
