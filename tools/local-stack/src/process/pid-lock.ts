import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identityOf, isStillThere } from './process-identity.js';

export interface PidLock {
  release(): void;
}

/** Takes the lock, or gives the pid of the living process that has it. A lock of a dead process is no obstacle. */
export function tryLock(file: string): PidLock | { heldBy: number } {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(mine, identityOf(process.pid) ?? '');
  try {
    for (;;) {
      try {
        // A link appears with its content or not at all: nobody ever reads an empty lock.
        linkSync(mine, file);
        return { release: () => rmSync(file, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = read(file);
      if (holder !== null && isStillThere(holder)) return { heldBy: Number.parseInt(holder, 10) };
      if (holder !== null) removeStale(file, `${mine}.stale`);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  let lock = tryLock(file);
  while ('heldBy' in lock) {
    await delay(200);
    lock = tryLock(file);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Moves it aside before looking again: what was moved may be the lock of somebody who took it a moment ago. */
function removeStale(file: string, aside: string): void {
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  const moved = read(aside);
  if (moved !== null && isStillThere(moved)) {
    try {
      linkSync(aside, file);
    } catch {
      // Somebody took it in between; both would then hold it, which three starters within a millisecond would need.
    }
  }
  rmSync(aside, { force: true });
}
