import { expect, it } from '@jest/globals';
import { isNewEnough } from './glibc.js';

it.each([
  ['2.36', false],
  ['2.37', false],
  ['2.38', true],
  ['2.41', true],
  ['3.0', true],
  ['0.0', false],
])('glibc %s is new enough for the engine: %s', (version, enough) => {
  expect(isNewEnough(version)).toBe(enough);
});
