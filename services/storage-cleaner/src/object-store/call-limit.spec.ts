import { expect, test } from '@jest/globals';
import { allowedAfter, CallLimit, FIRST_CALLS, MOST_CALLS } from './call-limit.js';

const isBusy = (answer: 'ok' | 'busy') => answer === 'busy';
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A bucket whose calls are answered by hand. */
function opened() {
  const halved: number[] = [];
  const limit = new CallLimit((calls) => halved.push(calls));
  const underWay: ((answer: 'ok' | 'busy') => void)[] = [];
  const ask = (calls: number) => {
    for (let i = 0; i < calls; i++) {
      void limit.run(() => new Promise<'ok' | 'busy'>((resolve) => underWay.push(resolve)), isBusy);
    }
  };
  const answer = async (calls: number, how: 'ok' | 'busy') => {
    for (const resolve of underWay.splice(0, calls)) resolve(how);
    await settled();
  };
  return { halved, underWay, ask, answer };
}

test('at first a few calls are under way, and one more after as many answers', async () => {
  const { underWay, ask, answer } = opened();
  ask(100);
  await settled();
  expect(underWay).toHaveLength(FIRST_CALLS);
  await answer(FIRST_CALLS - 1, 'ok');
  expect(underWay).toHaveLength(FIRST_CALLS);
  for (let i = 0; i < 3; i++) await answer(1, 'ok');
  expect(underWay).toHaveLength(FIRST_CALLS + 1);
});

test('it never rises beyond the sockets there are', () => {
  let allowed = FIRST_CALLS;
  for (let i = 0; i < 10_000; i++) allowed = allowedAfter(allowed, false);
  expect(allowed).toBe(MOST_CALLS);
});

test('however many calls of one time are refused, it is halved once', async () => {
  const { halved, underWay, ask, answer } = opened();
  ask(100);
  await settled();
  await answer(FIRST_CALLS, 'busy');
  expect(halved).toEqual([FIRST_CALLS / 2]);
  expect(underWay).toHaveLength(FIRST_CALLS / 2);
  await answer(FIRST_CALLS / 2, 'busy');
  expect(halved).toEqual([FIRST_CALLS / 2, FIRST_CALLS / 4]);
});

test('one call is always let through, and the limit rises again from there', async () => {
  const { halved, underWay, ask, answer } = opened();
  ask(100);
  for (let i = 0; i < 10; i++) await answer(1, 'busy');
  await answer(underWay.length, 'busy');
  expect(halved.at(-1)).toBe(1);
  expect(underWay).toHaveLength(1);
  await answer(1, 'ok');
  expect(underWay).toHaveLength(2);
});

test('what is asked by ones and twos shows nothing of what the bucket takes', async () => {
  const { underWay, ask, answer } = opened();
  for (let i = 0; i < 100; i++) {
    ask(1);
    await settled();
    await answer(1, 'ok');
  }
  ask(100);
  await settled();
  expect(underWay).toHaveLength(FIRST_CALLS);
});

test('a call that throws gives its place to the next', async () => {
  const limit = new CallLimit();
  const failing = Array.from({ length: 20 }, () => limit.run(() => Promise.reject(new Error('a bug')), isBusy));
  expect((await Promise.allSettled(failing)).every(({ status }) => status === 'rejected')).toBe(true);
});
