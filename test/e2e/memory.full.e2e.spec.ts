import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ResidentMemory } from '../support/resident-memory.js';
import { System } from '../support/system.js';

let system: System;
beforeAll(async () => {
  system = await System.start();
}, 120_000);
afterAll(() => system.stop(), 60_000);

const LIMIT_MB = 200;
/** How often the api is asked before anything is measured: a longer job is asked for more often, which is not its size. */
const READS = 2_000;
/** What a garbage collector may leave lying about; 300,000 records more at 70 bytes each are as much. */
const GROWTH_MB = 20;

describe('the services', () => {
  it('stay under 200 MB resident with a job of 100,000 records, and need no more for one of 400,000', async () => {
    await warmUp();
    const small = await peaksDuringJobOf(100_000);
    const large = await peaksDuringJobOf(400_000);
    process.stdout.write(`resident MB at most: ${JSON.stringify({ small, large })}\n`);
    const tooMuch = Object.entries({ ...large }).filter(([service, megabytes]) => {
      const before = small[service] ?? 0;
      return Math.max(before, megabytes) >= LIMIT_MB || megabytes > before + GROWTH_MB;
    });
    expect(tooMuch).toEqual([]);
  }, 400_000);
});

async function warmUp(): Promise<void> {
  const tenant = system.newTenant();
  await system.fill(tenant, 1_000, 0);
  const id = await system.request(tenant, { selection: { all: true } });
  await system.untilEnded(tenant, id);
  for (let n = 0; n < READS; n++) await system.job(tenant, id);
}

/** Of each service, in whole megabytes. */
async function peaksDuringJobOf(records: number): Promise<Record<string, number>> {
  const tenant = system.newTenant();
  await system.fill(tenant, records, 0);
  const memory = new ResidentMemory(system.services.all);
  const id = await system.request(tenant, { selection: { all: true }, options: { expected_max_records: records } });
  const job = await system.untilEnded(tenant, id, 180_000);
  const peaks = memory.stop();
  expect(job).toMatchObject({ status: 'completed', progress: { succeeded: records, failed_count: 0 } });
  expect(Object.keys(peaks)).toEqual(['api-1', 'deleter-1', 'storage-cleaner-1', 'monitor-1']);
  return peaks;
}
