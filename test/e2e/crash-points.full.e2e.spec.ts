import { serviceNames } from '@expunge/local-stack';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Crashed, crashEverywhere } from '../faults/crash-everywhere.js';
import { keepFigures } from '../support/figures.js';

let crashed: Crashed;

beforeAll(async () => {
  const every = { api: 1, deleter: 1, 'storage-cleaner': 1, monitor: 1 };
  crashed = await crashEverywhere(every, (line) => void process.stdout.write(`${line}\n`));
  process.stdout.write(`${JSON.stringify(crashed.figures)}\n`);
  keepFigures('crash-points', crashed.figures);
}, 1_800_000);

describe('a job completes with exact counts, no orphan and each event once', () => {
  it.each(serviceNames)(
    'after SIGKILL of the %s at every call, before it is sent and once it is answered',
    (service) => {
      expect(crashed.failures[service]).toEqual([]);
      const { points, tried, killed, absent } = crashed.figures.services[service];
      expect(killed).toBeGreaterThan(tried / 2);
      expect({ tried, reached: killed + absent }).toEqual({ tried: points, reached: points });
    },
  );
});
