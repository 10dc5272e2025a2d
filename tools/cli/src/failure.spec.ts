import { expect, it, test } from '@jest/globals';
import { CommanderError } from 'commander';
import { type Problem, ProblemAnswer, Unreachable } from './api.adapter.js';
import { failureOf } from './failure.js';

const ours: Problem = {
  type: 'urn:expunge:problem:not-found',
  status: 404,
  code: 'not-found',
  title: 'There is no such thing',
  detail: 'There is no job j.',
  trace_id: 'a1',
  retry_after: null,
};

test('the problem of the API is told as it came', () => {
  expect(failureOf(new ProblemAnswer(ours))).toEqual({
    exitCode: 1,
    problem: ours,
    lines: ['expunge: not-found: There is no job j.', '  trace a1'],
  });
});

it.each<[string, unknown, exitCode: number, code: string, title: string, detail: string]>([
  ['a page of a proxy', new ProblemAnswer({ status: 502 }), 3, 'no-problem', 'HTTP 502', 'HTTP 502'],
  [
    'an answer of something else',
    new ProblemAnswer({ status: 404, code: 17, title: null, detail: {} } as never),
    1,
    'no-problem',
    'HTTP 404',
    'HTTP 404',
  ],
  [
    'silence',
    new Unreachable('http://api does not answer'),
    3,
    'unreachable',
    'Nobody answers',
    'http://api does not answer',
  ],
  [
    'a wrong command line',
    new CommanderError(1, 'commander.unknownCommand', "error: unknown command 'delete'"),
    2,
    'wrong-command-line',
    'The command line is wrong, nothing was asked',
    "unknown command 'delete'",
  ],
  [
    'a command line without a command',
    new CommanderError(1, 'commander.help', '(outputHelp)'),
    2,
    'wrong-command-line',
    'The command line is wrong, nothing was asked',
    'no command is named',
  ],
])('%s is told in the same form', (_, error, exitCode, code, title, detail) => {
  expect(failureOf(error)).toMatchObject({ exitCode, problem: { code, title, detail } });
});

it('what nobody thought of is no failure of the command', () => {
  expect(failureOf(new TypeError('x'))).toBeNull();
});
