import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { aptGet, isDebianLike, osRelease } from '../apt.js';
import { withLock } from '../process/pid-lock.js';
import { writeNextSuiteSources } from './next-suite.js';

const needed = [2, 38] as const;
const loaders: Record<string, string> = { x64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' };
const triplets: Record<string, string> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** What to put before `node` so that the embedded engine finds a C library new enough; mostly nothing. */
export async function nodeCommand(cache: string, say: (line: string) => void): Promise<string[]> {
  if (process.platform !== 'linux' || isNewEnough(runningGlibc())) return [process.execPath];
  const folder = join(cache, 'glibc');
  if (!existsSync(folder)) await withLock(join(cache, 'glibc.lock'), () => fetchLibrary(cache, folder, say));
  const triplet = triplets[process.arch] ?? '';
  const own = join(folder, 'usr', 'lib', triplet);
  const loader = join(own, loaders[process.arch] ?? '');
  return [loader, '--library-path', `${own}:/usr/lib/${triplet}:/lib/${triplet}`, process.execPath];
}

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

function runningGlibc(): string {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime ?? '0.0';
}

async function fetchLibrary(cache: string, folder: string, say: (line: string) => void): Promise<void> {
  if (existsSync(folder)) return;
  if (!isDebianLike()) throw new Error(howToDoWithout());
  say(
    `the embedded MongoDB engine needs glibc 2.38, this is ${runningGlibc()}: fetching libc6 of a newer suite (3 MB)`,
  );
  const work = mkdtempSync(join(cache, 'glibc-'));
  try {
    const options = privateApt(work);
    await aptGet([...options, 'update']);
    await aptGet([...options, 'download', 'libc6'], work);
    const archive = readdirSync(work).find((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded nothing');
    execFileSync('dpkg', ['-x', join(work, archive), join(work, 'unpacked')]);
    renameSync(join(work, 'unpacked'), folder);
  } catch (error) {
    throw new Error(`${howToDoWithout()}\n${(error as Error).message}`, { cause: error });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Installs nothing: an apt of its own state whose only sources are the machine's, one suite on. */
function privateApt(work: string): string[] {
  for (const name of ['sources', 'lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(work, name), { recursive: true });
  }
  writeNextSuiteSources(osRelease(), join(work, 'sources'));
  const settings = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(work, 'sources'),
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    // Root's apt downloads as a user who cannot write here.
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function howToDoWithout(): string {
  return (
    `the embedded MongoDB engine needs glibc 2.38 or newer (Debian 13, Ubuntu 24.04), this is ${runningGlibc()}: ` +
    'set MONGODB_URL and RECORDS_MONGODB_URL to a MongoDB that runs'
  );
}
