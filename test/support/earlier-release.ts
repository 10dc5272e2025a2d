import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './command.js';

/** Until there is a tag: the state before services were put into containers. */
const BEFORE_TAGS = '97e249387b2a1bea32c9956188595c80fef2d329';
/** The last that knows no bucket but S3_BUCKET. */
const BEFORE_BUCKETS = 'c72f4dd9fcca78991ce9a1f3221c2f67de9ea739';

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: repositoryRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

/** Null in a clone without its history. */
function whereHere(commit: string): string | null {
  try {
    git('cat-file', '-e', `${commit}^{commit}`);
    return commit;
  } catch {
    return null;
  }
}

/** The last release's tag, or the commit that stands for it; null in a clone without its history. */
export function earlierRelease(): string | null {
  const released = ['--merged', 'HEAD', '--no-contains', 'HEAD'];
  const [tag = ''] = git('tag', '--list', 'v*', ...released, '--sort=-v:refname').split('\n');
  return whereHere(tag === '' ? BEFORE_TAGS : tag);
}

/** A commit whose storage-cleaner takes every key for one of S3_BUCKET; null in a clone without its history. */
export const releaseOfOneBucket = (): string | null => whereHere(BEFORE_BUCKETS);

export interface Build {
  /** Has `services/<name>/dist/main.js`. */
  readonly root: string;
  remove(): void;
}

/** That release, with the packages that it names itself: it may need what this one has done without since. A minute. */
export function buildOf(release: string): Build {
  const parent = join(repositoryRoot, '.local');
  mkdirSync(parent, { recursive: true });
  const root = mkdtempSync(join(parent, 'earlier-'));
  const archive = execFileSync('git', ['archive', release], { cwd: repositoryRoot, maxBuffer: 256 * 1024 * 1024 });
  execFileSync('tar', ['-x', '-C', root], { input: archive });
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root, stdio: 'pipe' });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const services = readdirSync(join(root, 'services')).map((service) => join('services', service));
  execFileSync(process.execPath, [compiler, '-b', ...services], { cwd: root, stdio: 'pipe' });
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
