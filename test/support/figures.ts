import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './command.js';

/** What a long run has measured, for the page that `npm run test:full` writes. */
export function keepFigures(name: string, figures: object): void {
  const folder = join(repositoryRoot, 'test', 'dist', 'figures');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(figures, null, 2)}\n`);
}
