import { describe, expect, it, test } from '@jest/globals';
import { bodyIn, differences, examplesOf, shortened } from './answers.js';

test('examples are the blocks that are run, with the answers below them', () => {
  const page =
    '# One\n```sh\na\n```\nwords\n```json\n{}\n```\n```json\n[]\n```\n## Two\n```js\nx\n```\n```sh\nb\n```\n';
  expect(examplesOf(page)).toEqual([
    { heading: 'One', command: 'a\n', answer: '{}\n' },
    { heading: 'Two', command: 'b\n', answer: null },
  ]);
});

test('a body is found behind headers, or without', () => {
  expect(bodyIn('HTTP/1.1 202 Accepted\r\nLocation: /x\r\n\r\n{"a":1}')).toEqual({ a: 1 });
  expect(bodyIn('{"a":1}\n')).toEqual({ a: 1 });
  expect(bodyIn('')).toBeNull();
});

describe('an answer', () => {
  const shown = {
    id: '0198a6c2-5f1e-7c3a-9d41-2b7e8f60a113',
    at: '2026-11-01T10:00:00Z',
    n: 1,
    list: [1, '…'],
    rate: 4,
  };

  it('may differ in ids, times, and what nobody can know', () => {
    const got = {
      id: '0298a6c2-5f1e-7c3a-9d41-2b7e8f60a11f',
      at: '2027-11-01T10:00:00.123Z',
      n: 1,
      list: [1, 2],
      rate: null,
    };
    expect(differences(shown, got)).toEqual([]);
  });

  it.each<[string, object]>([
    ['/n is 2, not 1', { n: 2 }],
    ['/at is "soon", not "2026-11-01T10:00:00Z"', { at: 'soon' }],
    [' has at,id,list,more,n,rate, not at,id,list,n,rate', { more: 1 }],
    ['/list has 1 elements', { list: [1] }],
    ['/list/0 is 2, not 1', { list: [2, 3] }],
  ])('may not differ otherwise: %s', (difference, change) => {
    expect(differences(shown, { ...shown, list: [1, 2], ...change })).toEqual([difference]);
  });

  it('is shown with the first of a long list', () => {
    expect(shortened({ a: [{ b: [1, 2, 3] }, 2] })).toEqual({ a: [{ b: [1, '…'] }, 2] });
  });
});
