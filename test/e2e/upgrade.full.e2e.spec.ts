import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceName } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/command.js';
import { type Build, buildOf, earlierRelease } from '../support/earlier-release.js';
import { restarted } from '../support/restarted.js';
import { idsOf, keysOf, System } from '../support/system.js';

const release = earlierRelease();
if (release === null) process.stdout.write('expunge: the upgrade is not tried: this clone has no earlier release\n');

const RECORDS = 3_000;
const RATE = 20;
/** As docs/operations.md has it. */
const ORDER: ServiceName[] = ['monitor', 'storage-cleaner', 'deleter', 'api'];

(release === null ? describe.skip : describe)('an upgrade of one service after the other', () => {
  const root = mkdtempSync(join(tmpdir(), 'expunge-upgrade-'));
  const services = join(root, 'services');
  let earlier: Build;
  let system: System;
  beforeAll(async () => {
    earlier = buildOf(release ?? '');
    symlinkSync(join(earlier.root, 'services'), services);
    system = await System.start({ root, deleters: 2, cleaners: 2, monitors: 2, apis: 2 });
  }, 300_000);
  afterAll(async () => {
    await system.stop();
    earlier.remove();
    rmSync(root, { recursive: true });
  }, 60_000);

  it('leaves a running job running, and its counts exact', async () => {
    const [tenant, other] = [system.newTenant(), system.newTenant()];
    await system.fill(tenant, RECORDS, 1);
    const theirs = await system.fill(other, 5, 1);
    const options = { batch_size: 10, max_records_per_second: RATE };
    const id = await system.request(tenant, { selection: { all: true }, options });
    await system.until(tenant, id, 'its first batches', ({ progress }) => progress.processed > 0);

    // What is started from now on is today's.
    rmSync(services);
    symlinkSync(join(repositoryRoot, 'services'), services);
    for (const name of ORDER) await restarted(system, name);

    const half = await system.until(tenant, id, 'progress since', ({ status }) => status === 'running');
    expect(half.progress.processed).toBeLessThan(RECORDS);
    await system.ask(tenant, id, null);
    const end = await system.untilEnded(tenant, id, 120_000);
    expect(end).toMatchObject({
      status: 'completed',
      progress: { succeeded: RECORDS, failed_count: 0, objects: { purged: RECORDS, failed: 0, pending: 0 } },
    });
    expect(await system.left(tenant)).toEqual({ ids: [], keys: [] });
    expect(await system.left(other)).toEqual({ ids: idsOf(theirs), keys: keysOf(theirs) });
    for (const { queue, count } of Object.values(await system.parked()))
      expect({ queue, count }).toEqual({ queue, count: 0 });
  }, 600_000);
});
