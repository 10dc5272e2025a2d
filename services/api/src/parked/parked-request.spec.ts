import { allWorkQueues } from '@expunge/contracts';
import { describe, expect, test } from '@jest/globals';
import { ProblemError } from '../problems/problem.js';
import { parseParkedQuery, parseReplayBody, workQueueNamed } from './parked-request.js';

const text = expect.any(String) as unknown;

describe('a list of what is parked', () => {
  test('is of 20 messages a queue by default, and of 1 to 100', () => {
    const limits = [{}, { limit: '1' }, { limit: '100' }].map(parseParkedQuery);
    expect(limits).toEqual([20, 1, 100].map((limit) => ({ ok: true, limit })));
  });

  test.each([
    ['limit', { limit: '0' }],
    ['limit', { limit: '101' }],
    ['limit', { limit: '1e1' }],
    ['limit', { limit: '' }],
    ['limit', { limit: ['1', '2'] }],
    ['count', { count: '3' }],
  ])('is refused, naming %s: %j', (parameter, query) => {
    expect(parseParkedQuery(query)).toEqual({ ok: false, errors: [{ parameter, detail: text }] });
  });
});

describe('how many are put back', () => {
  test.each([1, 1000])('may be %d', (count) => {
    expect(parseReplayBody({ count })).toEqual({ ok: true, count });
  });

  test.each([
    ['/count', undefined],
    ['/count', {}],
    ['/count', { count: 0 }],
    ['/count', { count: 1001 }],
    ['/count', { count: 1.5 }],
    ['/count', { count: '3' }],
    ['/count', { count: null }],
    ['/all', { count: 1, all: true }],
    ['', [1]],
  ])('is refused, naming "%s": %j', (pointer, body) => {
    expect(parseReplayBody(body)).toEqual({ ok: false, errors: [{ pointer, detail: text }] });
  });
});

describe('the queue', () => {
  test.each(allWorkQueues.map(({ name }) => name))('may be %s', (name) => {
    expect(workQueueNamed(name)).toBe(name);
  });

  test.each(['deleter.jobs.parked', 'deleter.jobs.retry.2s', 'monitor.heartbeats.x', '', 'toString'])(
    'is not found as "%s"',
    (name) => {
      expect(() => workQueueNamed(name)).toThrow(ProblemError);
    },
  );
});
