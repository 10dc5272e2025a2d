import { describe, expect, test } from '@jest/globals';
import { prefersStrict } from './prefer.js';

describe('the Prefer header', () => {
  test.each([
    'handling=strict',
    'Handling=Strict',
    'handling="strict"',
    'respond-async, wait=10, handling=strict',
    'handling=strict; foo="a"',
    ' handling = strict ',
    'handling=strict, handling=lenient',
  ])('asks for strictness: %s', (header) => {
    expect(prefersStrict(header)).toBe(true);
  });

  test.each([
    undefined,
    '',
    'handling=lenient',
    'handling',
    'strict',
    'xhandling=strict',
    'handling=lenient, handling=strict',
  ])('does not: %s', (header) => {
    expect(prefersStrict(header)).toBe(false);
  });
});
