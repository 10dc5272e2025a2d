import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// This file is src/paths.ts under jest and dist/paths.js otherwise: the package root is one up in both.
const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The clone this package belongs to. */
export const repositoryRoot = join(packageRoot, '..', '..');

/** A built script of this package: what is started as a process always comes from dist. */
export function builtScript(path: string): string {
  return join(packageRoot, 'dist', path);
}
