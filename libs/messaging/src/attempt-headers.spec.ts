import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { attemptHeaders, attemptsOf } from './attempt-headers.js';

const now = Date.parse('2026-11-23T12:00:00.000Z');

describe('the headers that count attempts', () => {
  it.each([
    ['none', undefined],
    ['strings', { 'x-attempt': '3', 'x-unexpected': '1', 'x-first-attempt-at': 'yesterday' }],
    ['negative numbers', { 'x-attempt': -1, 'x-unexpected': -1, 'x-first-attempt-at': -1 }],
    ['fractions', { 'x-attempt': 1.5, 'x-unexpected': 0.5, 'x-first-attempt-at': '' }],
    ['a first attempt in the future', { 'x-first-attempt-at': '2026-11-23T12:00:00.001Z' }],
  ])('%s: a first attempt, made now', (_what, headers) => {
    expect(attemptsOf(headers, now)).toEqual({ attempt: 1, unexpected: 0, firstAttemptAt: now });
  });

  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.nat(), fc.integer({ min: 0, max: now }), (attempt, unexpected, at) => {
        const attempts = { attempt, unexpected, firstAttemptAt: at };
        expect(attemptsOf(attemptHeaders(attempts), now)).toEqual(attempts);
      }),
    );
  });
});
