import { expect, it } from '@jest/globals';
import { ledgerViolations } from './ledger-violations.js';

const requested = { id: 'j:requested', type: 'DeleteRequested' } as const;
const started = { id: 'j:1', type: 'DeletionStarted', sequence: 1 } as const;
const finished = { id: 'j:2', type: 'DeletionFinished', sequence: 2 } as const;
const completed = { id: 'j:completed', type: 'JobCompleted' } as const;
const whole = [requested, finished, started, completed];

it('a ledger that heard all of a job once is right, in whatever order', () => {
  expect(ledgerViolations(whole, ['j:1', 'j:2'])).toEqual([]);
});

it.each([
  [
    'that lacks an event',
    whole.filter((one) => one !== started),
    ['j:1', 'j:2'],
    'the events j:2, the event store j:1 j:2',
  ],
  ['that has one twice', [...whole, started], ['j:1', 'j:2'], 'the events j:2 j:1 j:1, the event store j:1 j:2'],
  ['that has one which the deleter lacks', whole, ['j:1'], 'the events j:2 j:1, the event store j:1'],
  ['that lacks the request', whole.filter((one) => one !== requested), ['j:1', 'j:2'], 'DeleteRequested 0 times'],
  ['that was told of the end twice', [...whole, completed], ['j:1', 'j:2'], 'JobCompleted 2 times'],
])('a ledger %s is wrong', (_, heard, said, violation) => {
  expect(ledgerViolations(heard, said)).toEqual([`the ledger has ${violation}`]);
});
