import type { ResourceChecked } from '@expunge/contracts';
import { expect, test } from '@jest/globals';
import { presentResourceCheck } from './resource-answers.js';

const answer = (...oks: (boolean | null)[]): ResourceChecked['data'] => ({
  resource: 'receipts',
  service: 'deleter',
  instance: 'deleter-1',
  checks: oks.map((ok) => ({ check: 'keys', ok, detail: 'as found' })),
});
const silent = { what: 'storage-cleaner', why: 'none has answered' };

test.each([
  [true, [answer(true), answer(true, true)], []],
  [null, [answer(true)], [silent]],
  [null, [answer(true, null)], []],
  [false, [answer(true, null, false)], [silent]],
  [null, [], [silent]],
])('is %j by what was found, and was not', (ok, answers, notChecked) => {
  expect(presentResourceCheck('receipts', answers, notChecked)).toMatchObject({ ok, not_checked: notChecked });
});
