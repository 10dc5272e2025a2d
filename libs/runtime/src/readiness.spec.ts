import { expect, test } from '@jest/globals';
import { CheckError } from './problem.js';
import { problemsIn, Readiness } from './readiness.js';
import { ReadinessWatch } from './readiness-watch.service.js';

test('readiness tells of each check, and of those that fail why', async () => {
  const readiness = new Readiness(50);
  readiness.register('good', () => Promise.resolve());
  readiness.register('bad', () => Promise.reject(new CheckError('AccessDenied', 'not you', 403)));
  readiness.register('silent', () => new Promise(() => undefined));
  const report = await readiness.report();
  const problems = {
    bad: { code: 'AccessDenied', message: 'not you', status: 403 },
    silent: { code: 'TIMEOUT', message: 'no answer within 50 ms' },
  };
  expect(report).toEqual({ ready: false, checks: { good: null, ...problems } });
  expect(problemsIn(report)).toEqual(problems);
});

test('a watch tells of the first report and of each change, asks one at a time, and is not ready once stopped', async () => {
  const readiness = new Readiness(60_000);
  let asked = 0;
  let answer: (error?: Error) => void = () => undefined;
  readiness.register('store', () => {
    asked += 1;
    return new Promise((resolve, reject) => (answer = (error) => (error ? reject(error) : resolve())));
  });
  const told: string[] = [];
  const watch = new ReadinessWatch(readiness, () => told.push(watch.problems?.['store']?.code ?? 'none'), 1);
  expect(watch.problems).toBeUndefined();
  watch.start();
  const answers = [undefined, undefined, new CheckError('A', 'a'), new CheckError('A', 'b'), new CheckError('B', 'b')];
  for (const [i, error] of answers.entries()) {
    await until(() => asked === i + 1);
    answer(error);
  }
  await until(() => asked === answers.length + 1);
  expect(told).toEqual(['none', 'A', 'B']);
  expect(watch.ready).toBe(false);
  answer();
  await until(() => told.length === 4);
  expect([told.at(-1), watch.ready]).toEqual(['none', true]);
  watch.stop();
  expect(watch.ready).toBe(false);
  // Asked once more, maybe.
  answer();
}, 30_000);

async function until(check: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!check()) {
    if (Date.now() > end) throw new Error('not in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
