import { expect, it } from '@jest/globals';
import { aimedAgain, inEach, pointsOf } from './crash-point.js';

it('each call has a point before it and one after, and equal ones are told apart by their number', () => {
  expect(pointsOf(['read', 'write', 'read'])).toEqual([
    { call: 'read', nth: 1, when: 'before' },
    { call: 'read', nth: 1, when: 'after' },
    { call: 'write', nth: 1, when: 'before' },
    { call: 'write', nth: 1, when: 'after' },
    { call: 'read', nth: 2, when: 'before' },
    { call: 'read', nth: 2, when: 'after' },
  ]);
});

it('of several recordings that is taken which all of them have, as often as all of them do', () => {
  expect(
    inEach([
      ['a', 'b', 'a', 'c', 'a'],
      ['b', 'a', 'a', 'd', 'c'],
    ]),
  ).toEqual(['a', 'b', 'a', 'c']);
});

it.each([
  [2, ['a', 'a'], 2, 'the last of its name, where there were fewer'],
  [2, [], 3, 'the same, where none came up'],
  [2, ['a', 'a', 'a'], 3, 'the same, where it came up and the process lived'],
  [4, ['a', 'a', 'a'], 1, 'the first, at last'],
])('try %i after the calls %j is at number %i: %s', (attempt, calls, nth) => {
  expect(aimedAgain({ call: 'a', nth: 3, when: 'after' }, attempt, calls)).toEqual({ call: 'a', nth, when: 'after' });
});
