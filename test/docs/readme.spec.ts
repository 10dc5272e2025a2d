import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requiredIndexes, ResourceDefinition, ResourceDefinitions } from '@expunge/contracts';
import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { apiSettings } from '../../services/api/src/settings.js';
import { createCommand } from '../../services/deleter/src/records/indexes.js';
import { deleterSettings } from '../../services/deleter/src/settings.js';
import { MonitorSettings } from '../../services/monitor/src/settings.js';
import { storageCleanerSettings } from '../../services/storage-cleaner/src/settings.js';
import { anchors, codeBlocks, links, page, pages, root, rows, section } from './markdown.js';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const readme = page('README.md');
const unquoted = (cell: string) => cell.replaceAll('`', '');

describe('every page', () => {
  const all = pages();

  it.each(all)('$path names npm scripts that exist', ({ text }) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm (?:run (?:--silent )?([\w:-]+)|(start|test)\b)/g)].map(
      ([, run, own]) => run ?? own,
    );
    expect(named.filter((name) => !Object.hasOwn(scripts, name ?? ''))).toEqual([]);
  });

  it.each(all)('$path links to what exists', (one) => {
    const broken = links(one).filter(({ to, anchor }) => {
      if (!existsSync(join(root, to))) return true;
      return anchor !== null && !anchors(page(to)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it.each(all)('$path names paths that exist', ({ text }) => {
    const paths = [...text.matchAll(/`((?:libs|services|tools|test|docs|bench)\/[^`\s]*)`/g)].map(
      ([, path = '']) => path,
    );
    expect(paths.filter((path) => globSync(path, { cwd: root }).length === 0)).toEqual([]);
  });

  it.each(all)('$path quotes titles of tests that exist', ({ text }) => {
    const quoted = [...text.matchAll(/`([\w/.-]+\.spec\.ts)`\s+—\s+("[^`|]*")/g)].flatMap(
      ([, path = '', titles = '']) =>
        [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ path, title: title.replaceAll(/\s+/g, ' ') })),
    );
    expect(quoted.filter(({ path, title }) => !read(path).includes(`'${title}'`))).toEqual([]);
  });
});

it('the quoted titles are found at all', () => {
  expect(page('docs/architecture.md').text.match(/\.spec\.ts` — "/g)?.length).toBeGreaterThan(10);
});

describe('the table of settings', () => {
  const services = {
    api: apiSettings.shape,
    deleter: deleterSettings.shape,
    'storage-cleaner': storageCleanerSettings.shape,
    monitor: MonitorSettings.shape,
  } satisfies Record<string, Record<string, z.ZodType>>;
  const own = section(readme, '## Settings').split('\n### ')[0] ?? '';
  const table = rows(own).map(([name = '', of = '', byDefault = '']) => ({
    name: unquoted(name),
    of: of === 'all' ? Object.keys(services) : of.split(', '),
    byDefault: unquoted(byDefault),
  }));

  it.each(Object.entries(services))('names each setting of the %s, and no other', (service, shape) => {
    const named = table.filter(({ of }) => of.includes(service)).map(({ name }) => name);
    expect(named.sort()).toEqual(Object.keys(shape).sort());
  });

  it.each(table)('tells the default of $name', ({ name, of, byDefault }) => {
    for (const service of of as (keyof typeof services)[]) {
      const setting = (services[service] as Record<string, z.ZodType>)[name];
      const unset = setting?.safeParse(undefined);
      if (byDefault === 'required') expect(unset?.success).toBe(false);
      else if (byDefault === '–') expect([undefined, '']).toContain(unset?.data);
      else expect(unset?.data).toEqual(setting?.parse(byDefault));
    }
  });
});

describe('docker-compose.managed.yml', () => {
  const given = new Set(
    [...read('docker-compose.managed.yml').matchAll(/^ *([A-Z][A-Z0-9_]+):/gm)].map(([, name]) => name),
  );

  it('passes on every setting there is, but those of the container itself', () => {
    const settings = rows(section(readme, '## Settings').split('\n### ')[0] ?? '').map(([name = '']) => unquoted(name));
    const own = ['HOST', 'PORT', 'INTERNAL_PORT', 'INSTANCE', 'NODE_ENV'];
    expect(settings.filter((name) => !given.has(name) && !own.includes(name))).toEqual([]);
  });

  it('names what is missing', () => {
    const asked = [...read('docker-compose.managed.yml').matchAll(/\$\{(\w+):\?([^}]*)\}/g)];
    expect(asked.length).toBeGreaterThan(5);
    for (const [, name = '', words = ''] of asked) expect(words).toContain(`set ${name}`);
  });
});

describe('docker-compose.yml', () => {
  it('takes from the environment what docs/containers.md tells, and nothing else', () => {
    const own = section(page('docs/containers.md'), '## Compose').split('**Elsewhere.**')[0] ?? '';
    const told = [...own.matchAll(/^\| (`[A-Z\d_]+`(?: `[A-Z\d_]+`)*) \|/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    const taken = ['docker-compose.yml', 'docker-compose.services.yml'].flatMap((path) =>
      [...read(path).matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name),
    );
    expect([...new Set(taken)].sort()).toEqual(told.map(unquoted).sort());
  });
});

describe('the example of RESOURCES_FILE', () => {
  const own = section(readme, '### Your collection');
  const [example = ''] = codeBlocks(own, 'json');
  const resources = ResourceDefinitions.parse(JSON.parse(example));

  /** Takes a brake off: not for whoever copies the example. */
  const leftOut = ['versionedBucket'];

  it('has each field but those that take a brake off, and the table explains each', () => {
    const fields = Object.keys((JSON.parse(example) as object[])[0] ?? {});
    expect(Object.keys(resources[0] ?? {}).sort()).toEqual([...fields].sort());
    const explained = rows(own).map(([name = '']) => unquoted(name));
    expect(explained.filter((name) => !leftOut.includes(name))).toEqual(fields);
    expect(explained).toEqual(expect.arrayContaining(leftOut));
    expect(
      Object.keys(ResourceDefinition.parse({ ...resources[0], versionedBucket: 'accept-delete-markers' })),
    ).toEqual(expect.arrayContaining(explained));
  });

  it('is followed by the commands for the indexes it needs', () => {
    const needed = resources.flatMap((resource) =>
      requiredIndexes(resource).map((keys) => createCommand(resource, keys)),
    );
    expect(codeBlocks(own, 'js').join('').trim().split('\n')).toEqual(needed);
  });
});

describe('the options', () => {
  const optionsOf = (path: string) =>
    [...read(path).matchAll(/ption\('(--[\w-]+)/g)].map(([, option]) => option).filter((option) => option !== '--root');

  it('of the demo are all in the table, and no other', () => {
    const named = rows(section(readme, "## The demo's options")).map(([option = '']) => unquoted(option).split(' ')[0]);
    expect(named.sort()).toEqual(optionsOf('tools/local-stack/src/demo.ts').sort());
  });

  it.each([
    ['npm start --', 'tools/local-stack/src/start.ts'],
    ['npm run --silent token --', 'services/api/src/token.ts'],
  ])('in every "%s" exist', (command, path) => {
    const used = pages().flatMap(({ text }) =>
      [...text.matchAll(new RegExp(`${command} ([^\`\\n]+)`, 'g'))].flatMap(
        ([, line = '']) => line.match(/--[\w-]+/g) ?? [],
      ),
    );
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((option) => !optionsOf(path).includes(option))).toEqual([]);
  });
});
