import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './command.js';

/** Prometheus' own checker of rules: the machine's, or out of Debian's package; null where there is neither. */
export function promtool(): string | null {
  if (answers('promtool')) return 'promtool';
  const folder = join(repositoryRoot, '.local', 'cache', 'prometheus');
  const binary = join(folder, 'usr', 'bin', 'promtool');
  if (!existsSync(binary) && process.env['EXPUNGE_INSTALL'] !== 'never') unpack(folder);
  return answers(binary) ? binary : null;
}

function answers(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Nothing is installed. */
function unpack(folder: string): void {
  mkdirSync(join(folder, '..'), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  try {
    const options = ['-q', '-o', 'APT::Sandbox::User=root'];
    execFileSync('apt-get', [...options, 'download', 'prometheus'], { cwd: work, stdio: 'ignore' });
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (archive === undefined) return;
    execFileSync('dpkg', ['-x', join(work, archive), join(work, 'unpacked')]);
    renameSync(join(work, 'unpacked'), folder);
  } catch {
    // No Debian, no package lists, no network.
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
