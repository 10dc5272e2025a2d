import { jobStatuses } from '@expunge/contracts';
import { describe, expect, test } from '@jest/globals';
import { controlRequestOf, isForbidden, parseControlBody, verbs } from './control-request.js';

const nothing = { reason: null, maxRecordsPerSecond: null };

describe('the body of a request to a job', () => {
  test('may be left out, but for a rate change', () => {
    expect(parseControlBody('pause', undefined)).toEqual({ ok: true, body: nothing });
    expect(parseControlBody('cancel', { reason: 'wrong month' })).toEqual({
      ok: true,
      body: { ...nothing, reason: 'wrong month' },
    });
    expect(parseControlBody('rate-change', undefined)).toEqual({
      ok: false,
      errors: [{ pointer: '', detail: 'must be a JSON object' }],
    });
  });

  test('of a rate change says a whole number, or null', () => {
    const rate = (max_records_per_second: unknown) => parseControlBody('rate-change', { max_records_per_second });
    expect(rate(50)).toEqual({ ok: true, body: { ...nothing, maxRecordsPerSecond: 50 } });
    expect(rate(null)).toEqual({ ok: true, body: nothing });
    const detail = 'must be a whole number from 1 to 1000000, or null for no limit';
    for (const wrong of [0, 1.5, 1_000_001, '50', true, undefined]) {
      expect(rate(wrong)).toEqual({ ok: false, errors: [{ pointer: '/max_records_per_second', detail }] });
    }
    expect(parseControlBody('rate-change', {})).toEqual({
      ok: false,
      errors: [{ pointer: '/max_records_per_second', detail }],
    });
  });

  test('has no other member', () => {
    const errors = [{ pointer: '/max_records_per_second', detail: 'is not known here' }];
    expect(parseControlBody('pause', { max_records_per_second: 5 })).toEqual({ ok: false, errors });
    expect(parseControlBody('pause', [])).toEqual({
      ok: false,
      errors: [{ pointer: '', detail: 'must be a JSON object' }],
    });
  });
});

test('a job permits what its status does', () => {
  const permitted = Object.fromEntries(
    jobStatuses.map((status) => [status, verbs.filter((verb) => !isForbidden(verb, status, null))]),
  );
  expect(permitted).toEqual({
    queued: ['pause', 'cancel', 'confirm', 'rate-change'],
    awaiting_confirmation: ['cancel', 'confirm', 'rate-change'],
    running: ['pause', 'cancel', 'rate-change'],
    pausing: ['resume', 'cancel', 'rate-change'],
    paused: ['resume', 'cancel', 'rate-change'],
    cancelling: [],
    cancelled: ['retry'],
    purging: [],
    verifying: [],
    completed: [],
    completed_with_residue: ['retry'],
    failed: ['cancel', 'retry'],
  });
});

test('a job permits what the state permits that a request on its way leads to', () => {
  const last = (type: string, outcome = 'pending') => ({ type, outcome });
  expect(isForbidden('pause', 'paused', last('ResumeRequested'))).toBe(false);
  expect(isForbidden('pause', 'failed', last('RetryRequested'))).toBe(false);
  expect(isForbidden('resume', 'running', last('PauseRequested'))).toBe(false);
  expect(isForbidden('pause', 'paused', last('ResumeRequested', 'refused'))).toBe(true);
  expect(isForbidden('resume', 'running', last('CancelRequested'))).toBe(true);
});

test('the same key and body are the same message, another key, another body or no key is another', () => {
  const asked = { verb: 'pause', job: 'j1', tenant: 'acme', requestedBy: 'ann', body: nothing } as const;
  const id = (key: string | undefined) => controlRequestOf({ ...asked, key }, new Date()).id;
  expect(id('a')).toBe(id('a'));
  expect(new Set([id('a'), id('b'), id(undefined), id(undefined)]).size).toBe(4);
  const other = { ...asked, key: 'a', body: { ...nothing, reason: 'another' } };
  expect(controlRequestOf(other, new Date()).id).not.toBe(id('a'));
  expect(controlRequestOf({ ...asked, key: 'a' }, new Date(0))).toMatchObject({
    type: 'PauseRequested',
    subject: 'j1',
    tenantid: 'acme',
    time: '1970-01-01T00:00:00.000Z',
    data: { requestedBy: 'ann', reason: null },
  });
});
