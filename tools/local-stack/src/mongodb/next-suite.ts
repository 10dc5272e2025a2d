import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const suites: Record<string, string> = { debian: 'trixie', ubuntu: 'noble' };

/** Writes a copy of the machine's apt sources that asks for the first suite whose glibc is new enough. */
export function writeNextSuiteSources(release: Record<string, string>, folder: string): void {
  const from = release['VERSION_CODENAME'] ?? '';
  const to = suites[release['ID'] ?? ''];
  if (to === undefined || from === '') throw new Error(`no newer suite is known for ${release['ID'] ?? 'this system'}`);
  for (const file of sourceFiles()) {
    const text = readFileSync(file, 'utf8');
    const [extension, translated] = file.endsWith('.sources')
      ? ['sources', translateStanzas(text, from, to)]
      : ['list', translateLines(text, from, to)];
    if (translated !== '') writeFileSync(join(folder, `${file.replace(/\W+/g, '-')}.${extension}`), translated);
  }
}

function sourceFiles(): string[] {
  const parts = '/etc/apt/sources.list.d';
  const names = existsSync(parts) ? readdirSync(parts).filter((name) => /\.(list|sources)$/.test(name)) : [];
  return ['/etc/apt/sources.list', ...names.map((name) => join(parts, name))].filter((file) => existsSync(file));
}

/** deb822: only the stanzas that offer binaries of exactly the running suite. */
export function translateStanzas(text: string, from: string, to: string): string {
  const stanzas = text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/);
  return stanzas
    .filter((stanza) => /^Types:.*\bdeb\b(?!-)/m.test(stanza) && suitesOf(stanza).includes(from))
    .map((stanza) => `${stanza.replace(/^Suites:.*$/m, `Suites: ${to}`).trim()}\n`)
    .join('\n');
}

function suitesOf(stanza: string): string[] {
  return (/^Suites:(.*)$/m.exec(stanza)?.[1] ?? '').trim().split(/\s+/);
}

/** One-line style: `deb [options] uri suite components`. */
export function translateLines(text: string, from: string, to: string): string {
  const entry = /^(deb\s+(?:\[[^\]]*\]\s+)?\S+\s+)(\S+)(\s.*)$/;
  return text
    .split('\n')
    .map((line) => entry.exec(line.trim()))
    .filter((parts) => parts !== null && parts[2] === from)
    .map((parts) => `${parts?.[1] ?? ''}${to}${parts?.[3] ?? ''}\n`)
    .join('');
}
