import { expect, test } from '@jest/globals';
import { halvesOf, keysOf, purgeCallsOf } from './purge-calls.js';

const targetsOf = (keys: string[]) => keys.map((key, position) => ({ position, key }));

test('2,500 keys go in three calls of at most 1,000', () => {
  const { calls, unsent } = purgeCallsOf(targetsOf(Array.from({ length: 2500 }, (_, i) => `k${i}`)));
  expect(calls.map((call) => [call.form, keysOf(call).length])).toEqual([
    ['bulk', 1000],
    ['bulk', 1000],
    ['bulk', 500],
  ]);
  expect(calls.flatMap((call) => call.targets.map(({ position }) => position))).toEqual([...Array(2500).keys()]);
  expect(unsent).toEqual([]);
});

test('a key named at two positions is sent once, and answers for both', () => {
  const { calls } = purgeCallsOf(targetsOf(['a', 'b', 'a']));
  expect(calls.map(keysOf)).toEqual([['a', 'b']]);
  expect(calls[0]!.targets).toHaveLength(3);
});

test('a key that the bulk call would harm goes alone, one that nothing can carry stays here', () => {
  const { calls, unsent } = purgeCallsOf(targetsOf(['a', 'a ', '../b ', 'x'.repeat(1025)]));
  expect(calls).toEqual([
    { form: 'bulk', targets: [{ position: 0, key: 'a' }] },
    { form: 'single', targets: [{ position: 1, key: 'a ' }] },
  ]);
  expect(unsent.map(({ targets, answer }) => [targets[0]!.position, answer])).toEqual([
    [3, { kind: 'refused', refusal: expect.objectContaining({ code: 'KeyTooLongError' }) }],
    [2, { kind: 'refused', refusal: expect.objectContaining({ code: 'KEY_NOT_SENDABLE' }) }],
  ]);
});

test('halves of a call keep the positions of one key together, and end at one key', () => {
  const [call] = purgeCallsOf(targetsOf(['a', 'b', 'a', 'c'])).calls;
  const [first, second] = halvesOf(call!)!;
  expect([keysOf(first), keysOf(second)]).toEqual([['a', 'b'], ['c']]);
  expect(first.targets).toHaveLength(3);
  expect(halvesOf(second)).toBeNull();
});
