import { serviceNames } from '@expunge/local-stack';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Crashed, crashEverywhere } from '../faults/crash-everywhere.js';

let crashed: Crashed;

// Before every call of the deleter (a death after the one before it leaves the same behind), every fifth point of the
// others; all of them: crash-points.full.e2e.spec.ts.
beforeAll(async () => {
  const every = { api: 5, deleter: 2, 'storage-cleaner': 5, monitor: 5 };
  crashed = await crashEverywhere(every, (line) => void process.stdout.write(`${line}\n`));
  process.stdout.write(`${JSON.stringify(crashed.figures)}\n`);
}, 1_500_000);

describe('a job completes with exact counts, no orphan and each event once', () => {
  it.each(serviceNames)('after SIGKILL of the %s at a call, before it is sent and once it is answered', (service) => {
    expect(crashed.failures[service]).toEqual([]);
    const { tried, killed, absent } = crashed.figures.services[service];
    expect(killed).toBeGreaterThan(tried / 2);
    expect(killed + absent).toBe(tried);
  });
});
