import { tmpdir } from 'node:os';
import { expect, it } from '@jest/globals';
import { requireFreeSpace } from './free-space.js';

it('refuses a disk on which the broker would take nothing', () => {
  // Where nothing can ever be stored.
  expect(() => requireFreeSpace('/proc')).toThrow('only 0 MB are free on the disk of /proc: the local stack needs 200');
  expect(() => requireFreeSpace(tmpdir())).not.toThrow();
});
