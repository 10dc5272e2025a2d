import { receipts } from '@expunge/contracts';
import { TransientError } from '@expunge/messaging';
import { expect, test } from '@jest/globals';
import type { KeySample } from './records/resource-probe.repository.js';
import { keysFound, ResourceCheckService } from './resource-check.service.js';

const sample = (more: Partial<KeySample> = {}): KeySample => ({
  records: 1000,
  keys: 1700,
  outside: 0,
  unreadable: 0,
  ...more,
});
const unauthorized = Object.assign(new Error('not authorized on shop'), { code: 13, codeName: 'Unauthorized' });

test.each([
  [receipts, sample(), true, '1700 keys of 1000 records begin with tenants/{tenantId}/'],
  [{ ...receipts, keyPrefix: null }, sample(), true, '1700 keys of 1000 records; any key is allowed'],
  [
    receipts,
    sample({ outside: 3 }),
    false,
    '3 of 1700 keys of 1000 records do not begin with tenants/{tenantId}/: a job leaves those records, and says so',
  ],
  [
    receipts,
    sample({ unreadable: 2 }),
    false,
    '2 of 1000 records hold something else where a key should be, and are left',
  ],
])('keys are told as they were found', (resource, found, ok, detail) => {
  expect(keysFound(resource, found)).toEqual({ ok, detail });
});

test('what is refused is not ok; what nobody answered is not known; one does not hide the other', async () => {
  const service = new ResourceCheckService(
    {
      tryRead: () => Promise.resolve(),
      tryDelete: () => Promise.reject(unauthorized),
      missingIndexes: () => Promise.resolve([{ tenantId: 1, _id: 1 }]),
      sampleKeys: () => Promise.reject(new TransientError('RECORDS_UNAVAILABLE', 'no primary')),
    } as never,
    new Map([[receipts.name, receipts]]),
  );
  expect(await service.check('receipts')).toEqual([
    { check: 'readable', ok: true, detail: 'a record was looked for' },
    { check: 'deletable', ok: false, detail: 'Unauthorized: not authorized on shop' },
    { check: 'indexes', ok: false, detail: expect.stringMatching(/^missing: db\.getCollection\("receipts"\)/) },
    { check: 'keys', ok: null, detail: 'RECORDS_UNAVAILABLE: no primary' },
  ]);
  expect(await service.check('invoices')).toMatchObject([
    { ok: false, detail: 'this deleter has no resource invoices' },
  ]);
});
