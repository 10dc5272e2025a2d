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
 * `pid` with the moment it started, because a pid alone is soon somebody else's, in a container above all.
 * null when there is no such process, or only its entry that nobody has collected (in a container without an init).
 */
export function identityOf(pid: number): string | null {
  if (!isAlive(pid)) return null;
  const stat = statOf(pid);
  if (stat === null) return `${pid} 0`;
  return stat.state === 'Z' ? null : `${pid} ${stat.startedAt}`;
}

export function isStillThere(identity: string): boolean {
  return identityOf(Number.parseInt(identity, 10)) === identity;
}

/** null when it has none, or where there is no /proc. */
export function parentOf(pid: number): number | null {
  return statOf(pid)?.parent ?? null;
}

/** Fields 3, 4 and 22 (clock ticks since boot) of /proc/<pid>/stat; null where there is no /proc. */
function statOf(pid: number): { state: string; parent: number; startedAt: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: afterName[0] ?? '', parent: Number(afterName[1]), startedAt: afterName[19] ?? '0' };
  } catch {
    return null;
  }
}
