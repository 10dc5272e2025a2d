import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

export interface Page {
  /** From the root of the repository. */
  path: string;
  text: string;
}

export function pages(): Page[] {
  const paths = ['README.md', ...globSync('docs/**/*.md', { cwd: root }).sort()];
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

export function page(path: string): Page {
  const found = pages().find((candidate) => candidate.path === path);
  if (!found) throw new Error(`there is no ${path}`);
  return found;
}

/** What stands under a heading, up to the next one of the same or a higher level. */
export function section({ path, text }: Page, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const lines = text.split('\n');
  const from = lines.indexOf(heading);
  if (from < 0) throw new Error(`${path} has no ${heading}`);
  const ends = lines.findIndex((line, i) => i > from && (/^#+ /.exec(line)?.[0].length ?? 99) - 1 <= level);
  return lines.slice(from, ends < 0 ? undefined : ends).join('\n');
}

/** The cells of a table's rows, its head left out. */
export function rows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  );
}

export function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);
}

/** The target of each link as a path from the root, and the heading it names. Links to other hosts are left out. */
export function links({ path, text }: Page): { to: string; anchor: string | null }[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^\w+:/.test(target))
    .map((target) => {
      const [file = '', anchor = null] = target.split('#');
      return { to: file === '' ? path : relative(root, join(root, dirname(path), file)), anchor };
    });
}

/** The anchors a page's headings are linked by, as on GitHub. */
export function anchors({ text }: Page): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
