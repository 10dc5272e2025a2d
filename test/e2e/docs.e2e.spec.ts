import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bodyIn, differences, type Example, examplesOf, shortened } from '../docs/answers.js';
import { page } from '../docs/markdown.js';
import { Clone, repositoryRoot } from '../support/command.js';
import { Shell } from '../support/shell.js';

/** `UPDATE_DOCS=1` writes what is answered into the page instead of comparing it. */
const isUpdate = process.env['UPDATE_DOCS'] !== undefined;

const READ_FOR_MS = 3_000;

let clone: Clone;
let shell: Shell;
beforeAll(async () => {
  clone = new Clone();
  for (const name of ['node_modules', 'package.json', 'tools']) {
    symlinkSync(join(repositoryRoot, name), join(clone.root, name));
  }
  await clone.run('start').line(/Expunge is running/);
  const { jwt_secret: JWT_SECRET, api, token } = clone.stack()!;
  // The scripts look for stack.json where they are, which is not in this clone.
  shell = new Shell(clone.root, { ...process.env, JWT_SECRET, EXPUNGE_API: api, EXPUNGE_TOKEN: token });
  const config = { headers: { authorization: `Bearer ${token}` } };
  // The broker's list of consumers is some seconds old.
  await until(
    'that all listen',
    async () => {
      const answer = await fetch(`${api}/api/jobs/worker/config`, config);
      return ((await answer.json()) as { listens_to_maintenance: unknown }).listens_to_maintenance === true;
    },
    30_000,
  );
}, 120_000);
afterAll(async () => {
  await shell.end();
  await clone.remove();
}, 60_000);

/** What is only read is read again until it is as shown: a job takes its time. */
async function answered({ command, answer }: Example): Promise<unknown> {
  let body = bodyIn(await shell.run(command));
  if (answer === null) return body;
  const shown = JSON.parse(answer) as unknown;
  const isRead = !/ -X | -d /.test(command);
  const readFor = Date.now() + READ_FOR_MS;
  const isAsShown = async () => {
    if (isUpdate ? Date.now() > readFor : differences(shown, body).length === 0) return true;
    if (isRead) body = bodyIn(await shell.run(command));
    return !isRead;
  };
  await until('the answer', isAsShown, 20_000).catch(() => undefined);
  return body;
}

it('the first job of README.md runs, and ends as it says', async () => {
  const examples = examplesOf(page('README.md').text).filter(({ heading }) => heading === 'A first job');
  const [start, first = ''] = examples.map(({ command }) => command);
  expect(start).toBe('npm start\n');
  await shell.run(first);
  const shown = async () => bodyIn(await shell.run(first.trim().split('\n').at(-1) ?? ''));
  await until('its end', async () => ((await shown()) as { status: string }).status === 'completed', 30_000);
  expect(await shown()).toMatchObject({ status: 'completed', progress: { succeeded: 500 } });
});

describe('docs/api.md', () => {
  const { text } = page('docs/api.md');

  it.each(examplesOf(text).map((example, i) => ({ ...example, i })))('$i: $heading', async (example) => {
    const body = await answered(example);
    if (example.answer === null) return;
    if (isUpdate) rewrite(example.i, body);
    else expect(differences(JSON.parse(example.answer), body)).toEqual([]);
  });

  it('shows an answer to what most ask', () => {
    const examples = examplesOf(text);
    expect(examples.filter(({ answer }) => answer !== null).length).toBeGreaterThanOrEqual(10);
  });
});

function rewrite(index: number, body: unknown): void {
  const file = join(repositoryRoot, 'docs', 'api.md');
  const { command = '', answer = '' } = examplesOf(readFileSync(file, 'utf8'))[index] ?? {};
  const text = readFileSync(file, 'utf8');
  const at = text.indexOf(answer ?? '', text.indexOf(command));
  const written = `${JSON.stringify(shortened(body), null, 2)}\n`;
  writeFileSync(file, text.slice(0, at) + written + text.slice(at + (answer ?? '').length));
}
