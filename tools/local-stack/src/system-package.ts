import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptGet, hasPackageLists, isDebianLike, mayInstall } from './apt.js';
import { withLock } from './process/pid-lock.js';

/** A server that comes from the system's packages. */
export interface SystemPackage {
  readonly name: string;
  /** Its command, or null. */
  readonly locate: () => string | null;
  /** For whoever has to get it. */
  readonly howToGetIt: () => string;
}

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const starters = ['invoke-rc.d', 'deb-systemd-invoke', 'deb-systemd-helper', 'update-rc.d'];

/** The server's command; installs the package when that is missing, allowed and possible. Nothing of it is started. */
export async function ensureInstalled(
  wanted: SystemPackage,
  cache: string,
  say: (line: string) => void,
): Promise<string> {
  return wanted.locate() ?? withLock(join(cache, 'install.lock'), () => install(wanted, say));
}

async function install({ name, locate, howToGetIt }: SystemPackage, say: (line: string) => void): Promise<string> {
  const meanwhile = locate();
  if (meanwhile !== null) return meanwhile;
  if (!isDebianLike() || !mayInstall() || process.getuid?.() !== 0) throw new Error(howToGetIt());
  say(`${name} is missing: installing the package with apt-get (EXPUNGE_INSTALL=never refuses)`);
  const quiet = folderWithoutStarters();
  // dpkg's scripts find these names here first, so nothing is started or enabled; a policy-rc.d is left as it is.
  const options = ['-o', `DPkg::Path=${quiet}:${systemPath}`, '-o', 'DPkg::Lock::Timeout=300'];
  const command = [...options, 'install', '--no-install-recommends', name];
  try {
    if (!hasPackageLists()) await aptGet(['update']);
    // Lists that are too old name files the mirror no longer has.
    await aptGet(command).catch(async () => {
      await aptGet(['update']);
      await aptGet(command);
    });
  } catch (error) {
    throw new Error(howToGetIt(), { cause: error });
  } finally {
    rmSync(quiet, { recursive: true, force: true });
  }
  const installed = locate();
  if (installed === null) throw new Error(howToGetIt());
  return installed;
}

/** A folder in which everything that would start or enable a system service is `true`. */
function folderWithoutStarters(): string {
  const folder = mkdtempSync(join(tmpdir(), 'expunge-apt-'));
  for (const name of starters) symlinkSync('/bin/true', join(folder, name));
  return folder;
}
