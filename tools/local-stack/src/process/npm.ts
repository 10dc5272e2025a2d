import { readFileSync } from 'node:fs';
import { identityOf, isStillThere, parentOf } from './process-identity.js';

const askEvery = 500;

/**
 * Calls back when the npm that runs this script, or the shell in between, is gone: a signal for npm alone ends that
 * shell and leaves what it runs behind. Without npm there is nothing to watch: whoever starts us may well go away.
 */
export function onNpmGone(callback: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const watched = ancestors().map((pid) => identityOf(pid) ?? '');
  const timer = setInterval(() => {
    if (watched.every(isStillThere)) return;
    clearInterval(timer);
    callback();
  }, askEvery);
  timer.unref();
}

/** The shell npm started, and npm; or npm alone where its shell has become us. */
function ancestors(): number[] {
  const parent = process.ppid;
  const grandparent = parentOf(parent);
  return grandparent !== null && !isNpm(parent) && isNpm(grandparent) ? [parent, grandparent] : [parent];
}

function isNpm(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('npm');
  } catch {
    return false;
  }
}
