import { expect, test } from '@jest/globals';
import { type KeyForm, keyFormOf } from './key-form.js';

test.each<[key: string, KeyForm, why: string]>([
  ['tenants/t1/a.jpg', 'bulk', 'it is plain'],
  ['a b&<c>"\'\u{1f600}/日本', 'bulk', 'XML carries it escaped'],
  ['../other-bucket', 'bulk', 'dots mean nothing in XML'],
  ['x'.repeat(1024), 'bulk', 'it is as long as a key may be'],
  ['x'.repeat(1025), 'too-long', 'no object can have it'],
  ['é'.repeat(513), 'too-long', 'bytes count, not characters'],
  [' lead', 'single', 'a store may trim it into another key'],
  ['trail ', 'single', 'a store may trim it into another key'],
  ['\u00a0lead', 'single', 'a store may trim it into another key'],
  ['line\nfeed', 'single', 'a store may not read the reference back'],
  ['separator\u2028', 'single', 'a store may not read the reference back'],
  ['bell\u0007', 'single', 'XML cannot say it'],
  ['../other-bucket ', 'not-sendable', 'in a path it would name another bucket'],
  ['a/./b\n', 'not-sendable', 'in a path it would name another key'],
  ['half\ud800', 'not-sendable', 'UTF-8 would make it another key'],
  ['', 'not-sendable', 'in a path it would name the bucket'],
])('%j is sent as %s, since %s', (key, form) => {
  expect(keyFormOf(key)).toBe(form);
});
