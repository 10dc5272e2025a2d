import { describe, expect, test } from '@jest/globals';
import { keyPrefixOf, receipts, requiredIndexes, ResourceDefinition, ResourceDefinitions } from './resource.js';

/** Where and why it is refused; none: taken. */
function problems(definition: unknown): string[] {
  const parsed = ResourceDefinition.safeParse(definition);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const badPath = 'objectKeyPaths.0: must be a path such as "previewKey" or "attachments[].key", with at most one []';
const badField = 'must be a field name';

describe('a resource definition is taken', () => {
  test.each<[string, object]>([
    ['the receipts', {}],
    ['bounded by a date field', { idsGrow: false, createdAtField: 'createdAt' }],
    ['bounded by both', { createdAtField: 'createdAt' }],
    ['with the date in a sub-document', { createdAtField: 'meta.createdAt' }],
    ['without files', { objectKeyPaths: [] }],
    ['with any key allowed, written out', { keyPrefix: null }],
    ['with the tenant twice in the prefix', { keyPrefix: '{tenantId}/files/{tenantId}-' }],
    ['with nothing to select by', { filterFields: [] }],
    ['with a bucket of its own', { bucket: '0-acme.invoices' }],
    ['with the shortest name of a bucket', { bucket: 'a-1' }],
    ['with the longest name of a bucket', { bucket: 'b'.repeat(63) }],
    ['with no bucket of its own, written out', { bucket: null }],
  ])('%s', (_, change) => {
    expect(problems({ ...receipts, ...change })).toEqual([]);
  });

  test.each(['previewKey', 'files[]', 'attachments[].key', 'meta.scan.key', 'meta.scans[].file.key'])(
    'with keys at %s',
    (path) => {
      expect(problems({ ...receipts, objectKeyPaths: [path] })).toEqual([]);
    },
  );
});

describe('a resource definition is refused', () => {
  test.each<[string, object, string[]]>([
    [
      'without a bound',
      { idsGrow: false },
      [
        'createdAtField: a resource needs createdAtField, or idsGrow: true: without a bound, records created after the request would go too',
      ],
    ],
    [
      'with a prefix that every tenant shares',
      { keyPrefix: 'files/' },
      ['keyPrefix: must contain {tenantId}, or be null'],
    ],
    ['with the empty prefix', { keyPrefix: '' }, ['keyPrefix: must contain {tenantId}, or be null']],
    ['with a prefix left out', { keyPrefix: undefined }, [expect.stringContaining('keyPrefix: ') as unknown as string]],
    [
      'with a name that is no word of an address',
      { name: 'My receipts' },
      ['name: must be lower case letters, digits and dashes'],
    ],
    [
      'with a bucket that keeps versions, and something else than that it is meant',
      { versionedBucket: 'yes' },
      [expect.stringContaining('versionedBucket: ') as unknown as string],
    ],
    ['with an unknown type of id', { idType: 'int' }, [expect.stringContaining('idType: ') as unknown as string]],
    ['with a tenant field that is an operator', { tenantField: '$where' }, [`tenantField: ${badField}`]],
    ['with a date field that has a nameless part', { createdAtField: 'meta..at' }, [`createdAtField: ${badField}`]],
    ['with a misspelt member', { keyShared: true }, [': Unrecognized key: "keyShared"']],
    [
      'with a field of an unknown type to select by',
      { filterFields: [{ name: 'total', type: 'decimal' }] },
      [expect.stringContaining('filterFields.0.type: ') as unknown as string],
    ],
    [
      'with an operator to select by',
      { filterFields: [{ name: '$expr', type: 'string' }] },
      [`filterFields.0.name: ${badField}`],
    ],
  ])('%s', (_, change, expected) => {
    expect(problems({ ...receipts, ...change })).toEqual(expected);
  });

  test.each([
    '',
    'ab',
    'b'.repeat(64),
    'Acme',
    'acme_invoices',
    'a/b',
    '-acme',
    'acme-',
    '.acme',
    'acme.',
    'acme\n',
    3,
  ])('with the bucket %j', (bucket) => {
    expect(problems({ ...receipts, bucket })).toEqual([expect.stringMatching(/^bucket: /)]);
  });

  test.each(['', '[]', '[].key', 'a[].b[].c', 'a[]b', 'a..b', '.a', 'a.', 'a.$', '$a', 'a b', 'a[0]', 'a[].'])(
    'with keys at %j',
    (path) => {
      expect(problems({ ...receipts, objectKeyPaths: [path] })).toEqual([badPath]);
    },
  );
});

describe('a file of resources', () => {
  test('has at least one', () => {
    expect(ResourceDefinitions.safeParse([]).success).toBe(false);
  });

  test('has each name once', () => {
    expect(ResourceDefinitions.safeParse([receipts, { ...receipts, name: 'invoices' }]).success).toBe(true);
    const twice = ResourceDefinitions.safeParse([receipts, { ...receipts, collection: 'old' }]);
    expect(twice.error?.issues.map(({ message }) => message)).toEqual(['two resources have the same name']);
  });
});

describe('the prefix of a tenant', () => {
  test.each([
    ['tenants/{tenantId}/', 'acme', 'tenants/acme/'],
    ['{tenantId}/files/{tenantId}-', 'acme', 'acme/files/acme-'],
    ['tenants/{tenantId}/', '$$', 'tenants/$$/'],
    ['tenants/{tenantId}/', '$&', 'tenants/$&/'],
    [null, 'acme', null],
  ])('%j of %s is %j', (keyPrefix, tenant, prefix) => {
    expect(keyPrefixOf({ ...receipts, keyPrefix }, tenant)).toBe(prefix);
  });
});

describe('the indexes a resource needs', () => {
  test.each<[string, object, object[]]>([
    ['pages by tenant, and each key path', {}, [{ tenantId: 1, _id: 1 }, { 'attachments.key': 1 }, { previewKey: 1 }]],
    ['pages alone, where keys are not shared', { keysShared: false }, [{ tenantId: 1, _id: 1 }]],
    ['a list of keys', { objectKeyPaths: ['files[]'] }, [{ tenantId: 1, _id: 1 }, { files: 1 }]],
    ['a tenant field of another name', { tenantField: 'account.id', keysShared: false }, [{ 'account.id': 1, _id: 1 }]],
  ])('%s', (_, change, indexes) => {
    expect(requiredIndexes({ ...receipts, ...change })).toEqual(indexes);
  });

  test('name the tenant before the id, as keyset pages read them', () => {
    expect(requiredIndexes(receipts).map(Object.keys)[0]).toEqual(['tenantId', '_id']);
  });
});
