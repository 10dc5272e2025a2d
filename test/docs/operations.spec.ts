import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { metric } from '@expunge/telemetry';
import { repositoryRoot } from '../support/command.js';

const read = (path: string) => readFileSync(join(repositoryRoot, 'docs', path), 'utf8');
const inPrometheus = (name: string) => name.replaceAll('.', '_');
const told = Object.values(metric).map(inPrometheus);

/** Metrics of ours in queries; those of the runtime are named by its own library. */
const usedIn = (text: string) => [
  ...new Set([...text.matchAll(/\b(expunge|messaging)_[a-z_]+(?=[{[)]|\s|"|$)/gm)].map(([name]) => name)),
];
const isKnown = (name: string) => told.includes(name.replace(/_(total|bucket|count|sum)$/, ''));
const labels = /^(expunge_(job_status|code|outcome|settlement|resource)|messaging_destination_name)$/;

describe('docs/operations', () => {
  it.each(['operations/alerts.yml', 'operations/dashboard.json'])('%s asks for metrics that there are', (path) => {
    const used = usedIn(read(path)).filter((name) => !labels.test(name));
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((name) => !isKnown(name))).toEqual([]);
  });

  it('names each metric in docs/operations.md', () => {
    const page = read('operations.md');
    expect(told.filter((name) => !page.includes(`\`${name}`))).toEqual([]);
  });
});
