import { receipts, type ResourceCheck } from '@expunge/contracts';
import { TransientError } from '@expunge/messaging';
import { expect, test } from '@jest/globals';
import { Preflight } from './preflight.service.js';

const failures = { maxShare: 0.5, minSample: 50 };
const well: ResourceCheck[] = [
  { check: 'bucket', ok: true, detail: '' },
  { check: 'versioning', ok: true, detail: '' },
];

/** @param answers of the storage-cleaner, one after another; null: none */
function preflight(answers: (ResourceCheck[] | null)[], tryDelete = () => Promise.resolve()) {
  const asked: string[] = [];
  const probe = { tryDelete, sampleKeys: () => Promise.resolve({ records: 0, keys: 0, outside: 0, unreadable: 0 }) };
  const ask = ({ name: resource }: { name: string }) => {
    asked.push(resource);
    const checks = answers.shift() ?? null;
    const answer = { resource, service: 'storage-cleaner', instance: 's', checks: checks ?? [] };
    return Promise.resolve(new Map(checks ? [['storage-cleaner', answer]] : []));
  };
  return { asked, preflight: new Preflight(probe, { ask }, { failures }) };
}

test('jobs of a resource that begin together look once, and those of another look for themselves', async () => {
  const { asked, preflight: it } = preflight([well, well]);
  const notes = { ...receipts, name: 'notes' };
  expect(await Promise.all([it.obstacle(receipts), it.obstacle(receipts), it.obstacle(notes)])).toEqual([
    null,
    null,
    null,
  ]);
  expect(asked).toEqual(['receipts', 'notes']);
});

test('what stood in the way is looked at again each time', async () => {
  const { preflight: it } = preflight([null, well]);
  expect(await it.obstacle(receipts)).toMatchObject({ error: { code: 'BUCKET_UNCHECKED' } });
  expect(await it.obstacle(receipts)).toBeNull();
});

test('the bucket is not asked for where records have no files', async () => {
  const { asked, preflight: it } = preflight([]);
  expect(await it.obstacle({ ...receipts, objectKeyPaths: [] })).toBeNull();
  expect(asked).toEqual([]);
});

test("a refusal of the records' server stops the job, and its absence is waited for as anywhere", async () => {
  const errors = [new Error('not authorized on records'), new TransientError('RECORDS_UNAVAILABLE', 'away')];
  const { preflight: it } = preflight([well], () => {
    const error = errors.shift();
    return error ? Promise.reject(error) : Promise.resolve();
  });
  const refused = { then: 'fail', error: { code: 'RECORDS_DENIED', message: 'not authorized on records' } };
  expect(await it.obstacle(receipts)).toEqual(refused);
  await expect(it.obstacle(receipts)).rejects.toThrow('away');
  expect(await it.obstacle(receipts)).toBeNull();
});
