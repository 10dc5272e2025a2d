import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { repositoryRoot } from '../paths.js';
import { serviceNames } from './instances.js';
import { nodeOptionsOf } from './service-part.js';

it('starts node as `npm run start:…` does', () => {
  const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const started = serviceNames.map((service) => scripts[`start:${service}`]);
  expect(started).toEqual(
    serviceNames.map((service) => `node ${nodeOptionsOf(service).join(' ')} services/${service}/dist/main.js`),
  );
});
