import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type LocalStack, prepareRecords, startLocalStack } from '@expunge/local-stack';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { System } from '../test/support/system.js';
import { median } from './report/ratios.js';
import { record } from './results.js';
import { round } from './throughput/run.js';

const PAIRS = Number(process.env['PAIRS'] ?? 5);
const RECORDS = 10_000;

let sink: Server;
let bytes = 0;
let stack: LocalStack;
let systems: Record<'off' | 'on', System>;

beforeAll(async () => {
  sink = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
  stack = await startLocalStack();
  await prepareRecords(stack);
  const withEnv = (name: string, more: NodeJS.ProcessEnv) =>
    System.startBeside(stack, name, { env: { ...process.env, ...more } });
  systems = {
    off: await withEnv('off', {}),
    on: await withEnv('on', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
  };
}, 240_000);

afterAll(async () => {
  await Promise.all(Object.values(systems).map((system) => system.stop()));
  await stack.stop();
  sink.close();
}, 120_000);

interface Cost {
  /** By the job's own times. */
  recordsPerSecond: number;
  /** Of all four services, from the request to the end. */
  cpuSeconds: number;
}

async function cpuSeconds(system: System): Promise<number> {
  const texts = await Promise.all(system.services.all.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
  const used = texts.flatMap((text) => [...text.matchAll(/^process_cpu_time_total\{[^}]*\} ([\d.]+)$/gm)]);
  return used.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
}

async function costOfJob(system: System): Promise<Cost> {
  const tenant = system.newTenant();
  await system.fill(tenant, RECORDS, 1);
  const usedBefore = await cpuSeconds(system);
  const job = await system.untilEnded(tenant, await system.request(tenant, { selection: { all: true } }));
  expect(job).toMatchObject({ status: 'completed', progress: { succeeded: RECORDS } });
  const tookMs = Date.parse(job.completed_at ?? '') - Date.parse(job.started_at ?? '');
  return { recordsPerSecond: RECORDS / (tookMs / 1000), cpuSeconds: (await cpuSeconds(system)) - usedBefore };
}

/** Of what there was with traces to what there was without, pair by pair. */
function compared({ off, on }: Record<'off' | 'on', Cost[]>, of: (cost: Cost) => number) {
  const ratios = on.map((cost, pair) => of(cost) / of(off[pair] ?? cost));
  const [middle, least, most] = [median(ratios), Math.min(...ratios), Math.max(...ratios)].map((one) => round(one, 3));
  const ratio = { median: middle, least, most };
  return { off: round(median(off.map(of)), 3), on: round(median(on.map(of)), 3), ratio };
}

it(`the throughput of a job with traces exported, against that without, in ${PAIRS} pairs`, async () => {
  await costOfJob(systems.off);
  await costOfJob(systems.on);
  const costs: Record<'off' | 'on', Cost[]> = { off: [], on: [] };
  for (let pair = 0; pair < PAIRS; pair++) {
    const order = pair % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const);
    for (const which of order) costs[which].push(await costOfJob(systems[which]));
  }
  const result = {
    records: RECORDS,
    pairs: PAIRS,
    records_per_second: compared(costs, ({ recordsPerSecond }) => recordsPerSecond),
    cpu_seconds: compared(costs, ({ cpuSeconds: seconds }) => seconds),
    exported_kb: Math.round(bytes / 1024),
  };
  record('tracing', result);
}, 1_800_000);
