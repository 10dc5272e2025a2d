import { describe, expect, test } from '@jest/globals';
import { parseListQuery } from './list-query.js';

describe('the query of a list', () => {
  test('asks for 50 by default', () => {
    expect(parseListQuery({})).toEqual({ ok: true, query: { limit: 50 } });
  });

  test('takes several statuses, a resource, a cursor and a limit', () => {
    expect(
      parseListQuery({ status: 'running,paused', resource: 'receipts', cursor: 'eyJ0IjoxfQ==', limit: '200' }),
    ).toEqual({
      ok: true,
      query: { status: 'running,paused', resource: 'receipts', cursor: 'eyJ0IjoxfQ==', limit: 200 },
    });
  });

  test.each([
    ['status', { status: 'stuck' }],
    ['status', { status: 'running,' }],
    ['status', { status: ['running', 'paused'] }],
    ['resource', { resource: 'Receipts' }],
    ['cursor', { cursor: '' }],
    ['cursor', { cursor: 'a b' }],
    ['limit', { limit: '0' }],
    ['limit', { limit: '201' }],
    ['limit', { limit: '1e2' }],
    ['limit', { limit: '' }],
    ['state', { state: 'running' }],
  ])('is refused, naming %s: %j', (parameter, query) => {
    expect(parseListQuery(query)).toEqual({
      ok: false,
      errors: [{ parameter, detail: expect.any(String) as unknown }],
    });
  });
});
