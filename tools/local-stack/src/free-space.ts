import { statfsSync } from 'node:fs';

const neededMegabytes = 200;

/** The broker takes nothing while less than 50 MB are free (node-settings.ts), and a run fills some of the rest. */
export function requireFreeSpace(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / 1_000_000);
  if (free >= neededMegabytes) return;
  throw new Error(`only ${free} MB are free on the disk of ${folder}: the local stack needs ${neededMegabytes} MB`);
}
