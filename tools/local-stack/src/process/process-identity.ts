import { readFileSync } from 'node:fs';

/** Signal 0 asks whether a process (a group, when negative) is there; EPERM says it is, but is not ours. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * `pid` with the moment it started (clock ticks since boot; field 22 of /proc/<pid>/stat), because a pid alone is soon
 * somebody else's, in a container above all. Where there is no /proc the pid has to do.
 */
export function identityOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${pid} ${afterName[19] ?? '0'}`;
  } catch {
    return `${pid} 0`;
  }
}

export function isStillThere(identity: string): boolean {
  const pid = Number.parseInt(identity, 10);
  return pid > 0 && isAlive(pid) && identityOf(pid) === identity;
}
