import { expect, it } from '@jest/globals';
import { does, steps } from './steps.js';

it('each step does what those before it do, and nothing of those after it', () => {
  expect(steps.filter((what) => does('conditions', what))).toEqual(['floor', 'batches', 'journal', 'conditions']);
  expect(steps.filter((step) => does(step, 'events'))).toEqual(['events', 'expunge']);
});
