import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { refuseRepeatedMembers } from './json-body.js';
import { ProblemError } from './problems/problem.js';

/** The detail with which it is refused; null: it is not. */
function refusalOf(text: string): string | null {
  try {
    refuseRepeatedMembers(text);
    return null;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    expect(error.problem.code).toBe('malformed-request');
    return error.problem.detail;
  }
}

describe('a body', () => {
  const long = 'x'.repeat(2_000);
  test.each([
    ['at its top', '{"selection":{"ids":["a"]},"selection":{"all":true}}', 'selection'],
    ['once as an escape', '{"selection":{"ids":["a"]},"selecti\\u006fn":{"all":true}}', 'selection'],
    ['further in', '{"selection":{"filter":{"a":1,"a":{"gt":0}}}}', 'a'],
    ['with another between', '[{"a":null,"b":1,"a":false}]', 'a'],
    ['that is no ordinary one', '{"__proto__":1,"__proto__":2}', '__proto__'],
    ['of a long name', `{"${long}":1,"${long}":2}`, long.slice(0, 100)],
  ])('that has a member twice, %s, is refused, and the member named', (_, text, name) => {
    expect(refusalOf(text)).toBe(`The body has the member "${name}" twice, with different values.`);
  });

  test.each([
    ['{"a":{"b":1},"c":{"b":2}}'],
    ['[{"a":1},{"a":2}]'],
    ['{"a":[1,{}],"a":[1,{}]}'],
    ['{"toString":1,"constructor":2}'],
    ['{"a":1,"A":2}'],
  ])('is taken with the same name elsewhere, or the same value: %s', (text) => {
    expect(refusalOf(text)).toBeNull();
  });

  test.each(['', '{"a":1', "{'a':1}", '{"a":1,}'])('that is no JSON is refused: %s', (text) => {
    expect(refusalOf(text)).toBe('The body is not well-formed JSON.');
  });

  test.each([
    ['is open', '['.repeat(500_000)],
    ['is whole', '['.repeat(500_000) + ']'.repeat(500_000)],
    ['is of objects', '{"a":'.repeat(150_000)],
  ])('that is nested too deeply, and %s, is refused', (_, text) => {
    expect(refusalOf(text)).toBe('The body is nested too deeply.');
  });

  test('that is JSON is taken, whatever it says', () => {
    fc.assert(fc.property(fc.json(), (text) => expect(refusalOf(text)).toBeNull()));
  });
});
