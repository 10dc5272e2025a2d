import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { counter, gauge } from './instruments.js';
import { MetricsExporter } from './metrics-exporter.js';

let provider: MeterProvider;
let server: Server;
let asked = 0;
beforeAll(async () => {
  const exporter = new MetricsExporter();
  provider = new MeterProvider({ readers: [exporter] });
  metrics.setGlobalMeterProvider(provider);
  server = createServer((request, response) => {
    asked += 1;
    exporter.getMetricsRequestHandler(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(async () => {
  server.close();
  await provider.shutdown();
});

async function told(name: string): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
  return (await response.text()).split('\n').filter((line) => line.startsWith(name));
}

it('a gauge tells what it reads, and forgets what it read before', async () => {
  let verdicts: [number, { code: string }][] = [];
  gauge('verdicts', 'Of jobs', '{job}', () => verdicts);
  expect(await told('verdicts')).toEqual([]);
  verdicts = [[2, { code: 'CONSUMER:NONE' }]];
  expect(await told('verdicts')).toEqual(['verdicts{code="CONSUMER:NONE"} 2']);
  expect(await told('verdicts')).toEqual(['verdicts{code="CONSUMER:NONE"} 2']);
  verdicts = [];
  expect(await told('verdicts')).toEqual([]);
});

it('a gauge that cannot be read is left out, and keeps none of the others', async () => {
  gauge('broken', 'Of nothing', '1', () => Promise.reject(new Error('away')));
  gauge('whole', 'Of something', '1', () => [[1]]);
  expect([await told('broken'), await told('whole')]).toEqual([[], ['whole 1']]);
});

it('two that ask at once are told the same, however long one gauge takes', async () => {
  let release: (() => void) | undefined;
  let isSlow = true;
  gauge('at_once', 'Told at once', '1', () => [[1]]);
  gauge('at_last', 'Told later', '1', () => {
    if (!isSlow) return [];
    return new Promise((resolve) => (release = () => resolve([[2]])));
  });
  const before = asked;
  const both = Promise.all([told('at_'), told('at_')]);
  while (release === undefined || asked < before + 2) await new Promise(setImmediate);
  isSlow = false;
  release();
  const whole = ['at_once 1', 'at_last 2'];
  expect(await both).toEqual([whole, whole]);
});

it('a counter counts on', async () => {
  const records = counter('records', 'Deleted', '{record}');
  records.add(2);
  expect(await told('records')).toEqual(['records_total 2']);
  records.add(1);
  expect(await told('records')).toEqual(['records_total 3']);
  expect(await told('records')).toEqual(['records_total 3']);
});
