import { expect, test } from '@jest/globals';
import { sharedFor } from './shared-for.js';

const HOUR = 3_600_000;

test('those who ask together, or soon after, are told the same', async () => {
  let calls = 0;
  const ask = sharedFor(HOUR, () => Promise.resolve(++calls));
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  expect(await ask()).toBe(1);
});

test('who asks later is told anew', async () => {
  let calls = 0;
  const ask = sharedFor(0, () => Promise.resolve(++calls));
  expect([await ask(), await ask()]).toEqual([1, 2]);
});

test('what is not kept is told to those who asked together, and then asked for again', async () => {
  let calls = 0;
  const ask = sharedFor(
    HOUR,
    () => Promise.resolve(++calls),
    (result) => result > 1,
  );
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  expect([await ask(), await ask()]).toEqual([2, 2]);
});

test('a failure is told to those who asked together, and then forgotten', async () => {
  const answers = [() => Promise.reject(new Error('away')), () => Promise.resolve('there')];
  const ask = sharedFor(HOUR, () => answers.shift()!());
  const both = [ask(), ask()];
  await expect(both[0]).rejects.toThrow('away');
  await expect(both[1]).rejects.toThrow('away');
  expect(await ask()).toBe('there');
});
