import { TransientError } from '@expunge/messaging';
import { describe, expect, test } from '@jest/globals';
import { BadRequestException, NotFoundException } from '@nestjs/common';
import { invalid, pointer, ProblemError } from './problem.js';
import { problemOf } from './problem-of.js';

const parserError = (status: number): Error => Object.assign(new Error('secret inside'), { status });

describe('the problem of an error', () => {
  test.each([
    [new NotFoundException('Cannot GET /api/secret'), '/api/secret', 404, 'not-found'],
    [new BadRequestException('Unexpected token s in JSON'), '/api/jobs', 400, 'malformed-request'],
    [new BadRequestException("Failed to decode param '%'"), '/api/jobs/%', 400, 'malformed-request'],
    [parserError(413), '/api/jobs', 413, 'body-too-large'],
    [parserError(415), '/api/jobs', 415, 'unsupported-media-type'],
    [new TransientError('API_STORE_UNAVAILABLE', 'mongodb://secret'), '/api/jobs', 503, 'store-unavailable'],
    [new Error('secret'), '/api/jobs', 500, 'internal-error'],
    ['secret', '/api/jobs', 500, 'internal-error'],
    [parserError(418), '/api/jobs', 500, 'internal-error'],
  ])('%s of %s is %i %s and quotes nothing', (error, url, status, code) => {
    const { problem } = problemOf(error, url);
    expect(problem).toMatchObject({ status, code, type: `urn:expunge:problem:${code}` });
    expect(JSON.stringify(problem)).not.toMatch(/secret|Unexpected|decode/);
  });

  test('says of a broken address that it is the address', () => {
    const error = new BadRequestException();
    expect(problemOf(error, '/api/jobs/%').problem.detail).toMatch(/address/);
    expect(problemOf(error, '/api/jobs').problem.detail).toMatch(/JSON/);
  });

  test('of our own keeps its members and headers, and is not logged', () => {
    const error = new ProblemError('outcome-unknown', 'Not known.', { job_id: 'j1' }, { 'Retry-After': '5' });
    expect(problemOf(error, '/')).toEqual({
      problem: {
        type: 'urn:expunge:problem:outcome-unknown',
        title: 'Whether the request was accepted is not known',
        status: 503,
        detail: 'Not known.',
        code: 'outcome-unknown',
        job_id: 'j1',
      },
      headers: { 'Retry-After': '5' },
      unexpected: false,
    });
  });
});

describe('an invalid request', () => {
  test('names its first errors in the detail and lists all', () => {
    const errors = ['a', 'b', 'c', 'd'].map((name) => ({ pointer: `/x/${name}`, detail: 'is wrong' }));
    const { problem } = invalid(errors);
    expect(problem.detail).toBe('x.a is wrong; x.b is wrong; x.c is wrong; and 1 more');
    expect(problem.errors).toEqual(errors);
  });

  test('points into the body by RFC 6901', () => {
    expect(pointer(['selection', 'filter', 'a/b~c', 0])).toBe('/selection/filter/a~1b~0c/0');
  });
});
