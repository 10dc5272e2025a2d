import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './command.js';

/** Until there is a tag: the state before services were put into containers. */
const BEFORE_TAGS = '97e249387b2a1bea32c9956188595c80fef2d329';

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: repositoryRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

/** The last release's tag, or the commit that stands for it; null in a clone without its history. */
export function earlierRelease(): string | null {
  try {
    const [tag = ''] = git(
      'tag',
      '--list',
      'v*',
      '--merged',
      'HEAD',
      '--no-contains',
      'HEAD',
      '--sort=-v:refname',
    ).split('\n');
    const release = tag === '' ? BEFORE_TAGS : tag;
    git('cat-file', '-e', `${release}^{commit}`);
    return release;
  } catch {
    return null;
  }
}

export interface Build {
  /** Has `services/<name>/dist/main.js`. */
  readonly root: string;
  remove(): void;
}

/** That release, built with the packages that are installed here: its own sources, dependencies of today. */
export function buildOf(release: string): Build {
  const parent = join(repositoryRoot, '.local');
  mkdirSync(parent, { recursive: true });
  const root = mkdtempSync(join(parent, 'earlier-'));
  const archive = execFileSync('git', ['archive', release], { cwd: repositoryRoot, maxBuffer: 256 * 1024 * 1024 });
  execFileSync('tar', ['-x', '-C', root], { input: archive });
  linkPackages(root);
  const compiler = join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const services = readdirSync(join(root, 'services')).map((service) => join('services', service));
  execFileSync(process.execPath, [compiler, '-b', ...services], { cwd: root, stdio: 'pipe' });
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** Its own workspaces, and everybody else's packages as they are here. */
function linkPackages(root: string): void {
  const [here, there] = [join(repositoryRoot, 'node_modules'), join(root, 'node_modules')];
  mkdirSync(join(there, '@expunge'), { recursive: true });
  for (const name of readdirSync(here)) if (name !== '@expunge') symlinkSync(join(here, name), join(there, name));
  for (const library of readdirSync(join(root, 'libs'))) {
    symlinkSync(join(root, 'libs', library), join(there, '@expunge', library));
  }
}
