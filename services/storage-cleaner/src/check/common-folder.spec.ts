import { expect, test } from '@jest/globals';
import { commonFolder } from './common-folder.js';

test.each([
  [['tenants/a/1.jpg', 'tenants/a/2.jpg'], 'tenants/a/'],
  [['tenants/a/r1/x', 'tenants/a/r10/x'], 'tenants/a/'],
  [['tenants/a/x'], 'tenants/a/'],
  [['tenants/a/', 'tenants/a/b'], 'tenants/a/'],
  [['tenants/a/b', 'tenants/a/b'], 'tenants/a/'],
  [['tenants/a', 'tenants/b/c'], 'tenants/'],
  [['a/x', 'b/x'], ''],
  [['x', 'xy'], ''],
  [[], ''],
])('the folder of %j is %j', (keys, folder) => {
  expect(commonFolder(keys)).toBe(folder);
});
