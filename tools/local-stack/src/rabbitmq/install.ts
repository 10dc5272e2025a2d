import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptGet, hasPackageLists, isDebianLike, mayInstall } from '../apt.js';
import { withLock } from '../process/pid-lock.js';
import { locateRabbitMq } from './locate.js';

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const starters = ['invoke-rc.d', 'deb-systemd-invoke', 'deb-systemd-helper', 'update-rc.d'];

/** The server's start script; installs the system's package when that is missing, allowed and possible. */
export async function ensureRabbitMq(cache: string, say: (line: string) => void): Promise<string> {
  return locateRabbitMq() ?? withLock(join(cache, 'install.lock'), () => install(say));
}

async function install(say: (line: string) => void): Promise<string> {
  const meanwhile = locateRabbitMq();
  if (meanwhile !== null) return meanwhile;
  if (!isDebianLike() || !mayInstall() || process.getuid?.() !== 0) throw new Error(howToGetIt());
  say('RabbitMQ is missing: installing the package rabbitmq-server with apt-get (EXPUNGE_INSTALL=never refuses)');
  const quiet = folderWithoutStarters();
  // dpkg's scripts find these names here first, so nothing is started or enabled; a policy-rc.d is left as it is.
  const options = ['-o', `DPkg::Path=${quiet}:${systemPath}`, '-o', 'DPkg::Lock::Timeout=300'];
  const command = [...options, 'install', '--no-install-recommends', 'rabbitmq-server'];
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
  const installed = locateRabbitMq();
  if (installed === null) throw new Error(howToGetIt());
  return installed;
}

/** A folder in which everything that would start or enable a system service is `true`. */
function folderWithoutStarters(): string {
  const folder = mkdtempSync(join(tmpdir(), 'expunge-apt-'));
  for (const name of starters) symlinkSync('/bin/true', join(folder, name));
  return folder;
}

function howToGetIt(): string {
  const install = isDebianLike()
    ? 'install it (as root: apt-get install rabbitmq-server)'
    : 'install RabbitMQ 3.10 or newer so that rabbitmq-server is on the PATH';
  return `RabbitMQ is missing: ${install}, or set RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL to one that runs`;
}
