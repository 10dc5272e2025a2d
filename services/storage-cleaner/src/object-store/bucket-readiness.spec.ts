import { expect, test } from '@jest/globals';
import { BucketReadiness, PROBE_EVERY_MS } from './bucket-readiness.js';
import type { Refusal } from './object-store.js';

function probed(answers: (Refusal | null)[]) {
  let asked = 0;
  let now = 1000;
  const store = { probe: () => Promise.resolve(answers[asked++] ?? null) };
  const readiness = new BucketReadiness(store, () => now);
  return { readiness, asked: () => asked, wait: (ms: number) => (now += ms) };
}

test('asks the bucket once for everybody who wants to know within the interval', async () => {
  const { readiness, asked, wait } = probed([]);
  await Promise.all([readiness.check(), readiness.check()]);
  wait(PROBE_EVERY_MS - 1);
  await readiness.check();
  expect(asked()).toBe(1);
  wait(1);
  await readiness.check();
  expect(asked()).toBe(2);
});

test('says why the bucket is not ready, and recovers', async () => {
  const said = { code: 'NoSuchBucket', message: 'no bucket expunge', status: 404 };
  const { readiness, wait } = probed([said, null]);
  await expect(readiness.check()).rejects.toMatchObject(said);
  await expect(readiness.check()).rejects.toMatchObject(said);
  wait(PROBE_EVERY_MS);
  await expect(readiness.check()).resolves.toBeUndefined();
});
