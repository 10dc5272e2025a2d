import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { receipts, type ResourceDefinition } from '@expunge/contracts';
import { until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/command.js';
import { type Build, buildOf, releaseOfOneBucket } from '../support/earlier-release.js';
import { restarted } from '../support/restarted.js';
import { keysOf, System } from '../support/system.js';

const release = releaseOfOneBucket();
if (release === null) process.stdout.write('expunge: no earlier storage-cleaner is tried: this clone has none\n');

const RECORDS = 40;
const BATCH = 10;
const ARCHIVE = 'expunge-archive';
const QUEUE = 'storage-cleaner.batches';
/** The same records, their files in a bucket of its own. */
const archived: ResourceDefinition = { ...receipts, name: 'archived', bucket: ARCHIVE };

(release === null ? describe.skip : describe)('a storage-cleaner of a release that knows S3_BUCKET alone', () => {
  const root = mkdtempSync(join(tmpdir(), 'expunge-earlier-'));
  const cleaner = join(root, 'services', 'storage-cleaner');
  const today = (service: string) => join(repositoryRoot, 'services', service);
  let earlier: Build;
  let system: System;
  beforeAll(async () => {
    earlier = buildOf(release ?? '');
    mkdirSync(join(root, 'services'));
    for (const service of ['api', 'deleter', 'monitor']) symlinkSync(today(service), join(root, 'services', service));
    symlinkSync(join(earlier.root, 'services', 'storage-cleaner'), cleaner);
    const file = join(root, 'resources.json');
    writeFileSync(file, JSON.stringify([receipts, archived]));
    system = await System.start({ root, buckets: ['expunge', ARCHIVE], env: { RESOURCES_FILE: file } });
  }, 300_000);
  afterAll(async () => {
    await system.stop();
    earlier.remove();
    rmSync(root, { recursive: true });
  }, 60_000);

  it('parks what names another bucket, and once it is upgraded that goes from there', async () => {
    const tenant = system.newTenant();
    const keys = keysOf(await system.fill(tenant, RECORDS, 1));
    await system.put(keys, ARCHIVE);
    const options = { batch_size: BATCH };
    const id = await system.request(tenant, { resource: 'archived', selection: { all: true }, options });
    const batches = RECORDS / BATCH;
    await until('its batches are parked', async () => (await system.parked())[QUEUE]?.count === batches, 60_000);
    expect(await system.left(tenant)).toEqual({ ids: [], keys });
    expect(await system.keys(`tenants/${tenant}/`, ARCHIVE)).toEqual(keys);

    rmSync(cleaner);
    symlinkSync(today('storage-cleaner'), cleaner);
    await restarted(system, 'storage-cleaner');
    expect(await system.replay(QUEUE, batches)).toMatchObject({ replayed: batches });
    expect(await system.untilEnded(tenant, id)).toMatchObject({
      status: 'completed',
      progress: { objects: { purged: RECORDS, failed: 0, pending: 0 } },
    });
    expect(await system.left(tenant)).toEqual({ ids: [], keys });
    expect(await system.keys(`tenants/${tenant}/`, ARCHIVE)).toEqual([]);
  }, 300_000);
});
