import { execFileSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/command.js';
import { promtool } from '../support/promtool.js';

const command = promtool();
if (command === null)
  process.stderr.write('alert rules are not tested: there is no promtool, and no package to take it from\n');

(command === null ? it.skip : it)('each alert fires when it says, and only then', () => {
  const options = { cwd: repositoryRoot, encoding: 'utf8' } as const;
  const said = execFileSync(command ?? '', ['test', 'rules', 'docs/operations/alerts.test.yml'], options);
  expect(said).toContain('SUCCESS');
});
