import { describe, expect, test } from '@jest/globals';
import { parseEventsQuery, parseJobQuery, parseListQuery } from './list-query.js';

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

describe('the query of events', () => {
  test('begins with the first, 200 at once, by default', () => {
    expect(parseEventsQuery({})).toEqual({ ok: true, query: { after: 0, limit: 200 } });
    expect(parseEventsQuery({ after: '17', limit: '1000' })).toEqual({ ok: true, query: { after: 17, limit: 1000 } });
  });

  test.each([
    ['after', { after: '-1' }],
    ['after', { after: '1.5' }],
    ['after', { after: '' }],
    ['after', { after: '9'.repeat(16) }],
    ['limit', { limit: '1001' }],
    ['cursor', { cursor: 'x' }],
  ])('is refused, naming %s: %j', (parameter, query) => {
    expect(parseEventsQuery(query)).toEqual({
      ok: false,
      errors: [{ parameter, detail: expect.any(String) as unknown }],
    });
  });
});

describe('the moment of which a job is asked for', () => {
  const now = new Date('2026-11-01T10:00:00.000Z');

  test.each([
    ['2026-11-01T09:59:59Z', '2026-11-01T09:59:59.000Z'],
    ['2026-11-01T10:00:00.000Z', '2026-11-01T10:00:00.000Z'],
    ['2026-11-01t11:30:00.123456+02:00', '2026-11-01T09:30:00.123Z'],
    ['2024-02-29T00:00:00-11:00', '2024-02-29T11:00:00.000Z'],
  ])('%s is %s', (at, utc) => {
    expect(parseJobQuery({ at }, now)).toEqual({ ok: true, query: { at: utc } });
  });

  test('may be left out', () => {
    expect(parseJobQuery({}, now)).toEqual({ ok: true, query: {} });
  });

  test.each([
    '',
    'yesterday',
    '2026-11-01',
    '2026-11-01T09:59Z',
    '2026-11-01T09:59:59',
    '2026-11-01T09:59:59 02:00',
    '2026-02-29T00:00:00Z',
    '2026-11-01T24:00:00Z',
    '2026-11-01T10:00:00.001Z',
    '2026-11-01T09:00:00-02:00',
    ['2026-11-01T09:00:00Z', '2026-11-01T09:00:01Z'],
  ])('is refused, naming at: %j', (at) => {
    expect(parseJobQuery({ at }, now)).toEqual({
      ok: false,
      errors: [{ parameter: 'at', detail: expect.any(String) as unknown }],
    });
  });

  test('is not silently ignored when it is misspelt', () => {
    expect(parseJobQuery({ At: '2026-11-01T09:00:00Z' }, now)).toMatchObject({
      ok: false,
      errors: [{ parameter: 'At' }],
    });
  });
});
