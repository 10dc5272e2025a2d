import { receipts, RetryRequested } from '@expunge/contracts';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Obstacle } from '../src/deletion-job/preflight.js';
import { Preflight } from '../src/preflight.service.js';
import { RecordsRepository } from '../src/records/records.repository.js';
import { ResourceProbe } from '../src/records/resource-probe.repository.js';
import { deleteRequested, fill, runToEnd, World } from './deleters.js';

let world: World;
beforeAll(async () => {
  world = await World.create();
}, 30_000);
afterAll(() => world.destroy());
beforeEach(() => world.reset());

const receiptsLeft = () => world.db.collection('receipts').countDocuments({ tenantId: 'acme' });

/** A deleter that meets these, one look after another, and then nothing. */
function meeting(...obstacles: Obstacle[]) {
  let looks = 0;
  const obstacle = () => Promise.resolve(obstacles[looks++] ?? null);
  return { deleter: world.deleter('d1', { preflight: { obstacle } }), looks: () => looks };
}

/** As the service has it; with a storage-cleaner that never answers. */
function preflight(collection = 'receipts') {
  const resource = { ...receipts, collection };
  const records = new RecordsRepository(world.db, new Map([[resource.name, resource]]));
  const questions = { ask: () => Promise.resolve(new Map()) };
  const failures = { maxShare: 0.5, minSample: 50 };
  return new Preflight(new ResourceProbe(world.db, records), questions, { failures }).obstacle(resource);
}

it('fails before anything goes where the bucket keeps versions, and goes on by a retry once it does not', async () => {
  await fill(world.db, 3);
  const { deleter } = meeting({ then: 'fail', error: { code: 'VERSIONED_BUCKET', message: 'versioning is on' } });
  await deleter.requests.accept(deleteRequested('job'));
  await runToEnd(deleter, 'job');
  expect(await receiptsLeft()).toBe(3);
  const { events } = await world.published();
  expect(events.map(({ type }) => type)).toEqual(['DeletionStarted', 'DeletionFailed']);
  expect(events[1]?.data).toMatchObject({ error: { code: 'VERSIONED_BUCKET' }, totals: { succeeded: 0 } });
  const fields = { id: 'job:retry', source: 'urn:expunge:api', subject: 'job', tenantid: 'acme' };
  const data = { requestedBy: 'ann', reason: null };
  await deleter.control.take(RetryRequested.create({ ...fields, time: new Date().toISOString(), data }));
  await runToEnd(deleter, 'job');
  expect(await receiptsLeft()).toBe(0);
});

it('waits for a storage-cleaner, says so, looks again each time, and not any more once something has gone', async () => {
  await fill(world.db, 5);
  const unchecked: Obstacle = { then: 'wait', error: { code: 'BUCKET_UNCHECKED', message: 'nobody answers' } };
  const { deleter, looks } = meeting(unchecked, unchecked);
  await deleter.requests.accept(deleteRequested('job'));
  await deleter.slices.run('job', 1, null);
  expect(await deleter.jobs.read('job')).toMatchObject({ lanes: [{ waiting: { cause: 'preflight' }, strikes: 0 }] });
  await deleter.skipWait('job');
  await deleter.slices.run('job', 1, null);
  expect(await receiptsLeft()).toBe(5);
  const { events, later } = await world.published();
  expect(later).toHaveLength(2);
  expect(events.map(({ type }) => type)).toEqual(['DeletionStarted', 'BatchDelayed', 'BatchDelayed']);
  expect(events[1]?.data).toMatchObject({ cause: 'preflight', error: unchecked.error });
  await runToEnd(deleter, 'job');
  expect(await receiptsLeft()).toBe(0);
  expect(looks()).toBe(3);
});

it('is stopped by a collection that refuses deletes, such as a view', async () => {
  await world.db.createCollection('view', { viewOn: 'receipts', pipeline: [] });
  expect(await preflight('view')).toMatchObject({ then: 'fail', error: { code: 'RECORDS_DENIED' } });
});

it('is stopped by keys of which more than the permitted share begin with something else', async () => {
  await fill(world.db, 40);
  const elsewhere = Array.from({ length: 41 }, (_, i) => ({ tenantId: 'acme', previewKey: `old/${i}` }));
  await world.db.collection('receipts').insertMany(elsewhere.slice(1));
  expect(await preflight()).toMatchObject({ then: 'wait', error: { code: 'BUCKET_UNCHECKED' } });
  await world.db.collection('receipts').insertMany(elsewhere.slice(0, 1));
  const message = expect.stringMatching(/^41 of 81 sampled keys/) as unknown;
  expect(await preflight()).toEqual({ then: 'fail', error: { code: 'KEYS_OUTSIDE_PREFIX', message } });
});
