import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type LocalStack, prepareRecords, startLocalStack } from '@expunge/local-stack';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { System } from '../test/support/system.js';

const PAIRS = Number(process.env['PAIRS'] ?? 5);
const RECORDS = 6_000;

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

/** Records a second, by the job's own times. */
async function throughput(system: System): Promise<number> {
  const tenant = system.newTenant();
  await system.fill(tenant, RECORDS, 1);
  const job = await system.untilEnded(tenant, await system.request(tenant, { selection: { all: true } }));
  expect(job).toMatchObject({ status: 'completed', progress: { succeeded: RECORDS } });
  const tookMs = Date.parse(job.completed_at ?? '') - Date.parse(job.started_at ?? '');
  return RECORDS / (tookMs / 1000);
}

it(`the throughput of a job with traces exported, against that without, in ${PAIRS} pairs`, async () => {
  await throughput(systems.off);
  await throughput(systems.on);
  const ratios: number[] = [];
  const rates = { off: [] as number[], on: [] as number[] };
  for (let pair = 0; pair < PAIRS; pair++) {
    const order = pair % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const);
    for (const which of order) rates[which].push(await throughput(systems[which]));
    ratios.push((rates.on.at(-1) ?? NaN) / (rates.off.at(-1) ?? NaN));
  }
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
  const round = (value: number) => Math.round(value * 1000) / 1000;
  const result = {
    records: RECORDS,
    pairs: PAIRS,
    off: Math.round(median(rates.off)),
    on: Math.round(median(rates.on)),
    ratio: { median: round(median(ratios)), least: round(Math.min(...ratios)), most: round(Math.max(...ratios)) },
    exported_kb: Math.round(bytes / 1024),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}, 1_800_000);
