import { expect, test } from '@jest/globals';
import { checkNode } from './node-version.js';

test.each(['22.15.0', '22.22.1', '23.0.0', '24.3.0'])('Node %s runs a service', (version) => {
  expect(() => checkNode(version)).not.toThrow();
});

test.each(['20.20.2', '22.14.9', '18.0.0'])('Node %s is refused, and told what is needed', (version) => {
  expect(() => checkNode(version)).toThrow(`Node 22.15 or later is needed, but this is ${version}`);
});
