import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type IdType, receipts, type ResourceDefinition, type WireId } from '@expunge/contracts';
import { openStore, type Store } from '@expunge/runtime/store';
import fc from 'fast-check';
import { Binary, type Db, Decimal128, Long, ObjectId, UUID } from 'mongodb';
import { pino } from 'pino';
import { type Database, freshDatabase } from '../../../test/support/servers.js';
import type { Plan } from '../src/deletion-job/deletion-job.js';
import { createCommand } from '../src/records/indexes.js';
import { parseKeyPath, readKeys } from '../src/records/key-path.js';
import { holdsOnly } from '../src/records/planned-keys-filter.js';
import type { Scope } from '../src/records/record-filters.js';
import { RecordsRepository } from '../src/records/records.repository.js';

let database: Database;
let store: Store;
let db: Db;

beforeAll(async () => {
  database = await freshDatabase('records');
  store = openStore(database.url, 'test', pino({ level: 'silent' }));
  db = store.db();
});
afterAll(async () => {
  await store.close();
  await database.drop();
});
beforeEach(async () => {
  await db.dropDatabase();
  await db.collection('receipts').createIndexes([{ key: { tenantId: 1, _id: 1 } }]);
});

const resource = (change: Partial<ResourceDefinition> = {}): ResourceDefinition => ({ ...receipts, ...change });
const repository = (...resources: ResourceDefinition[]) =>
  new RecordsRepository(db, new Map(resources.map((r) => [r.name, r])));
const everything = (idAtMost: WireId): Scope => ({ tenant: 'acme', selection: { all: true }, bound: { idAtMost } });

function planOf(records: Plan['records'], until: Date): Plan {
  return { owner: 'me', until, records, failures: [], closesAt: records.at(-1)?.id ?? '', startedAt: new Date() };
}

describe('the filter of the delete', () => {
  const paths = ['attachments[].key', 'files[]', 'meta.preview.key'].map(parseKeyPath);
  const key = fc.constantFrom<unknown>('k1', 'k2', 'other', '', null, 7, ['k1'], { k: 'k1' });
  const odd = fc.constantFrom<unknown>(null, 'k1', 3, [], ['k1'], [['k1']], {}, { key: 'other' }, [null]);
  const element = fc.oneof({ weight: 4, arbitrary: fc.record({ key }, { requiredKeys: [] }) }, odd);
  const record = fc.record(
    {
      attachments: fc.oneof({ weight: 4, arbitrary: fc.array(element, { maxLength: 3 }) }, odd),
      files: fc.oneof({ weight: 4, arbitrary: fc.array(key, { maxLength: 3 }) }, odd),
      meta: fc.oneof(
        { weight: 4, arbitrary: fc.record({ preview: fc.oneof(fc.record({ key }, { requiredKeys: [] }), odd) }) },
        odd,
      ),
    },
    { requiredKeys: [] },
  );

  it('matches exactly the records whose keys can be read and all stand in the plan', async () => {
    const planned = ['k1', 'k2'];
    const records = fc.sample(record, 4000).map((fields, _id) => ({ _id, ...fields }));
    const collection = db.collection<{ _id: number }>('shapes');
    await collection.insertMany(records);
    const matched = await collection.find({ $and: holdsOnly(paths, planned) }, { projection: { _id: 1 } }).toArray();
    const stored = await collection.find().toArray();
    const expected = stored.filter((fields) => {
      const keys = readKeys(fields, paths);
      return keys.readable && keys.keys.every((k) => planned.includes(k));
    });
    expect(expected.length).toBeGreaterThan(50);
    const matchedIds = new Set(matched.map((m) => m._id));
    const expectedIds = new Set(expected.map((e) => e._id));
    const wrong = stored.filter(({ _id }) => matchedIds.has(_id) !== expectedIds.has(_id));
    expect(wrong.slice(0, 5)).toEqual([]);
  });
});

describe('paging', () => {
  const ids: Record<IdType, unknown[]> = {
    objectId: Array.from({ length: 7 }, () => new ObjectId()),
    number: [-3, 0, 1.5, 2, 2 ** 31, Long.fromString('9007199254740993'), Long.fromString('9007199254740995')],
    string: ['A', 'a', 'b', 'ä', '2', '10', ' '],
    uuid: Array.from({ length: 7 }, () => new UUID()),
  };

  it.each(Object.keys(ids) as IdType[])(
    'visits each record once by %s ids, though every cursor went through JSON',
    async (idType) => {
      const r = resource({ idType });
      const strangers = [new ObjectId(), 'stranger', new UUID(), Decimal128.fromString('7')].filter(
        (id) =>
          !(idType === 'objectId' && id instanceof ObjectId) &&
          !(idType === 'string' && id === 'stranger') &&
          !(idType === 'uuid' && id instanceof UUID),
      );
      const all = [...ids[idType], ...strangers].map((_id) => ({ _id, tenantId: 'acme' }));
      await db.collection<{ _id: unknown }>('receipts').insertMany(all);
      const records = repository(r);
      const bound = await records.bound(r, 'acme', new Date(Date.now() + 2000));
      const scope: Scope = {
        tenant: 'acme',
        selection: { all: true },
        bound: JSON.parse(JSON.stringify(bound)) as typeof bound,
      };
      expect(await records.count(r, scope)).toBe(7);
      const seen: WireId[] = [];
      for (let cursor: WireId | null = null; ;) {
        const page = await records.page(r, scope, cursor, 2, null);
        if (page.closesAt === null) break;
        seen.push(...page.records.map((found) => found.id));
        cursor = JSON.parse(JSON.stringify(page.closesAt)) as WireId;
      }
      expect(seen).toHaveLength(7);
      expect(new Set(seen.map(String)).size).toBe(7);
      const clock = await records.clock();
      const plan = planOf(
        seen.map((id) => ({ id, keys: [] })),
        new Date(clock.latest().getTime() + 1000),
      );
      expect(await records.delete(r, scope, JSON.parse(JSON.stringify(plan), revive) as Plan, clock)).toEqual({
        answered: true,
      });
      expect(await db.collection('receipts').countDocuments()).toBe(strangers.length);
    },
  );

  it('leaves numbers that JSON cannot say: they are in no page, no count and no bound', async () => {
    const r = resource({ idType: 'number' });
    const ids = [-Infinity, 1, Infinity, NaN];
    await db.collection<{ _id: number }>('receipts').insertMany(ids.map((_id) => ({ _id, tenantId: 'acme' })));
    const records = repository(r);
    const bound = await records.bound(r, 'acme', new Date());
    expect(bound).toEqual({ idAtMost: 1 });
    const scope: Scope = { tenant: 'acme', selection: { all: true }, bound };
    expect(await records.count(r, scope)).toBe(1);
    expect((await records.page(r, scope, null, 10, null)).records.map((found) => found.id)).toEqual([1]);
  });

  it('sees UUIDs behind and before binary ids that are none', async () => {
    const r = resource({ idType: 'uuid' });
    const uuids = Array.from({ length: 3 }, () => new UUID());
    const others = [
      new Binary(Buffer.alloc(16, 0x7f), 3),
      new Binary(Buffer.alloc(4), 0),
      new Binary(Buffer.alloc(20), 0),
    ];
    await db
      .collection('receipts')
      .insertMany([...uuids, ...others].map((_id) => ({ _id, tenantId: 'acme' })) as never);
    const records = repository(r);
    const scope: Scope = {
      tenant: 'acme',
      selection: { all: true },
      bound: await records.bound(r, 'acme', new Date()),
    };
    expect(await records.count(r, scope)).toBe(3);
    const { records: first, closesAt } = await records.page(r, scope, null, 2, null);
    const { records: second } = await records.page(r, scope, closesAt, 2, null);
    expect([...first, ...second].map((found) => found.id)).toEqual(uuids.map((id) => id.toHexString()).sort());
  });

  const revive = (name: string, value: unknown): unknown => (name === 'until' ? new Date(value as string) : value);

  it('closes a page early when its keys are many', async () => {
    const attachments = Array.from({ length: 2000 }, (_, i) => ({ key: `tenants/acme/${'x'.repeat(200)}${i}` }));
    const records = Array.from({ length: 6 }, () => ({ tenantId: 'acme', attachments }));
    await db.collection('receipts').insertMany(records);
    const bound = await repository(receipts).bound(receipts, 'acme', new Date(Date.now() + 2000));
    const page = await repository(receipts).page(
      receipts,
      { tenant: 'acme', selection: { all: true }, bound },
      null,
      500,
      null,
    );
    expect(page.records).toHaveLength(2);
    expect(page.closesAt).toBe(page.records[1]?.id);
  });

  it('selects by filter: each operator, and dates as dates', async () => {
    const r = resource({ idType: 'number' });
    await db.collection<{ _id: number }>('receipts').insertMany([
      { _id: 1, tenantId: 'acme', company: 'Aria', total: 5, date: new Date('2020-01-01') },
      { _id: 2, tenantId: 'acme', company: 'Brio', total: 50, date: new Date('2021-01-01') },
      { _id: 3, tenantId: 'acme', company: 'Brio', total: 500, date: new Date('2022-01-01') },
      { _id: 4, tenantId: 'other', company: 'Brio', total: 500, date: new Date('2022-01-01') },
    ] as never);
    const selected = async (filter: Record<string, unknown>) => {
      const scope = { tenant: 'acme', selection: { filter }, bound: { idAtMost: 9 } } as Scope;
      return (await repository(r).page(r, scope, null, 10, null)).records.map((found) => found.id);
    };
    expect(await selected({ company: 'Brio' })).toEqual([2, 3]);
    expect(await selected({ company: { in: ['Aria', 'None'] } })).toEqual([1]);
    expect(await selected({ total: { gt: 5, lte: 500 } })).toEqual([2, 3]);
    expect(await selected({ date: { gte: '2020-01-01', lt: '2021-06-01T00:00:00Z' } })).toEqual([1, 2]);
    expect(await selected({ company: 'Brio', total: { lt: 100 } })).toEqual([2]);
    await expect(selected({ tenantId: 'other' })).rejects.toThrow('no filter field');
  });
});

describe('on a collection that compares without case', () => {
  it('touches no tenant, id or company that differs in case', async () => {
    await db.dropDatabase();
    await db.createCollection('receipts', { collation: { locale: 'en', strength: 2 } });
    const collation = { locale: 'simple' };
    await db.collection('receipts').createIndexes([{ key: { tenantId: 1, _id: 1 }, collation }]);
    const r = resource({ idType: 'string', keyPrefix: null });
    await db.collection('receipts').insertMany([
      { _id: 'a', tenantId: 'acme', company: 'Brio' },
      { _id: 'b', tenantId: 'acme', company: 'brio' },
      { _id: 'c', tenantId: 'ACME', company: 'Brio' },
      { _id: 'z', tenantId: 'Acme', company: 'Brio' },
    ] as never);
    const records = repository(r);
    const bound = await records.bound(r, 'acme', new Date());
    expect(bound).toEqual({ idAtMost: 'b' });
    const scope: Scope = { tenant: 'acme', selection: { filter: { company: 'Brio' } }, bound };
    expect(await records.count(r, scope)).toBe(1);
    expect((await records.page(r, scope, null, 10, null)).records.map((found) => found.id)).toEqual(['a']);
    const clock = await records.clock();
    const ids = ['A', 'a', 'b', 'c', 'z'].map((id) => ({ id, keys: [] }));
    await records.delete(r, scope, planOf(ids, new Date(clock.latest().getTime() + 1000)), clock);
    expect(await db.collection<{ _id: string }>('receipts').distinct('_id')).toEqual(['b', 'c', 'z']);
  });
});

describe('a filter that few records match', () => {
  it('is looked for one window of ids at a time, and missed nowhere', async () => {
    const r = resource({ idType: 'number' });
    const matching = new Set([7, 49_999, 50_000, 100_003, 120_000]);
    const all = Array.from({ length: 120_000 }, (_, i) => i + 1);
    const company = (n: number) => (matching.has(n) ? 'Rare' : 'Common');
    await db
      .collection<{ _id: number }>('receipts')
      .insertMany(all.map((_id) => ({ _id, tenantId: 'acme', company: company(_id) })));
    const scope: Scope = { tenant: 'acme', selection: { filter: { company: 'Rare' } }, bound: { idAtMost: 120_000 } };
    const seen: WireId[] = [];
    const closings: (WireId | null)[] = [];
    for (let cursor: WireId | null = null; ;) {
      const page = await repository(r).page(r, scope, cursor, 2, null);
      closings.push(page.closesAt);
      if (page.closesAt === null) break;
      seen.push(...page.records.map((found) => found.id));
      cursor = page.closesAt;
    }
    expect(seen).toEqual([...matching]);
    expect(closings).toEqual([49_999, 99_999, 120_000, null]);
  }, 60_000);
});

describe('a date that few records match', () => {
  it('is looked for one window of ids at a time, which is looked up once', async () => {
    const r = resource({ idType: 'number', createdAtField: 'createdAt' });
    const matching = new Set([3, 5, 7, 60_000]);
    const all = Array.from({ length: 60_001 }, (_, i) => i + 1);
    const createdAt = (n: number) => new Date(matching.has(n) ? '2020-01-01' : '2030-01-01');
    await db
      .collection<{ _id: number }>('receipts')
      .insertMany(all.map((_id) => ({ _id, tenantId: 'acme', createdAt: createdAt(_id) })));
    const scope: Scope = {
      tenant: 'acme',
      selection: { all: true },
      bound: { createdAtMost: '2025-01-01T00:00:00.000Z' },
    };
    const pages: unknown[] = [];
    let window: WireId | null = null;
    for (let cursor: WireId | null = null; ;) {
      const page = await repository(r).page(r, scope, cursor, 2, window);
      pages.push([page.records.map((found) => found.id), page.closesAt, page.window]);
      if (page.closesAt === null) break;
      ({ closesAt: cursor, window } = page);
    }
    expect(pages).toEqual([
      [[3, 5], 5, 50_000],
      [[7], 50_000, null],
      [[60_000], 60_000, null],
      [[], null, null],
    ]);
  }, 60_000);
});

describe('the bound', () => {
  it('leaves out what was created after the request, though the request waited', async () => {
    const r = receipts;
    const before = ObjectId.createFromTime(Math.floor(Date.now() / 1000) - 60);
    const after = ObjectId.createFromTime(Math.floor(Date.now() / 1000) - 10);
    await db.collection('receipts').insertMany([before, after].map((_id) => ({ _id, tenantId: 'acme' })));
    expect(await repository(r).bound(r, 'acme', new Date(Date.now() - 30_000))).toEqual({
      idAtMost: before.toHexString(),
    });
    expect(await repository(r).bound(r, 'acme', new Date())).toEqual({ idAtMost: after.toHexString() });
    expect(await repository(r).bound(r, 'nobody', new Date())).toEqual({ idAtMost: null });
    const scope: Scope = { tenant: 'acme', selection: { all: true }, bound: { idAtMost: null } };
    expect(await repository(r).count(r, scope)).toBe(0);
  });

  it('is the time of the request where the resource says when a record was made', async () => {
    const r = resource({ idType: 'string', idsGrow: false, createdAtField: 'createdAt' });
    const at = (ms: number) => new Date(1_700_000_000_000 + ms);
    await db.collection<{ _id: string }>('receipts').insertMany([
      { _id: 'a', tenantId: 'acme', createdAt: at(0) },
      { _id: 'b', tenantId: 'acme', createdAt: at(1) },
      { _id: 'c', tenantId: 'acme' },
    ] as never);
    const bound = await repository(r).bound(r, 'acme', at(0));
    const page = await repository(r).page(r, { tenant: 'acme', selection: { all: true }, bound }, null, 10, null);
    expect(page.records.map((found) => found.id)).toEqual(['a']);
  });
});

describe('deleting', () => {
  const r = resource({ idType: 'number' });
  const insert = (...records: object[]) =>
    db.collection('receipts').insertMany(records.map((record) => ({ tenantId: 'acme', ...record })));
  const left = async () =>
    (await db.collection<{ _id: number }>('receipts').find().sort({ _id: 1 }).toArray()).map((found) => found._id);

  it('takes the planned ids within tenant, selection and bound, and nothing else', async () => {
    await insert(
      { _id: 1 },
      { _id: 2, tenantId: 'other' },
      { _id: 3, company: 'Brio' },
      { _id: 4, company: 'Brio' },
      { _id: 5, company: 'Brio' },
    );
    const records = repository(r);
    const clock = await records.clock();
    const scope: Scope = { tenant: 'acme', selection: { filter: { company: 'Brio' } }, bound: { idAtMost: 4 } };
    const plan = planOf(
      [1, 2, 3, 5].map((id) => ({ id, keys: [] })),
      new Date(clock.latest().getTime() + 1000),
    );
    await records.delete(r, scope, plan, clock);
    expect(await left()).toEqual([1, 2, 4, 5]);
  });

  it('takes no record whose tenant, filtered field or date is a list that holds the value', async () => {
    await insert(
      { _id: 1, tenantId: ['acme', 'other'], total: 45, createdAt: new Date(0) },
      { _id: 2, total: [1, 100], createdAt: new Date(0) },
      { _id: 3, total: 45, createdAt: [new Date(0), new Date()] },
      { _id: 4, total: 45, createdAt: new Date(0) },
    );
    const dated = resource({ idType: 'number', createdAtField: 'createdAt' });
    const records = repository(dated);
    const clock = await records.clock();
    const scope: Scope = {
      tenant: 'acme',
      selection: { filter: { total: { gte: 40, lt: 50 } } },
      bound: { createdAtMost: new Date(1000).toISOString() },
    };
    expect((await records.page(dated, scope, null, 10, null)).records.map((found) => found.id)).toEqual([4]);
    const plan = planOf(
      [1, 2, 3, 4].map((id) => ({ id, keys: [] })),
      new Date(clock.latest().getTime() + 1000),
    );
    await records.delete(dated, scope, plan, clock);
    expect(await left()).toEqual([1, 2, 3]);
  });

  it('is refused by the server once the deadline has passed, and says that it may have been', async () => {
    await insert({ _id: 1 });
    const records = repository(r);
    const clock = await records.clock();
    const plan = planOf([{ id: 1, keys: [] }], clock.earliest());
    expect(await records.delete(r, everything(9), plan, clock)).toEqual({ answered: false });
    expect(await left()).toEqual([1]);
  });

  it('leaves a record that gained a key since it was planned', async () => {
    await insert({ _id: 1, attachments: [{ key: 'a' }] }, { _id: 2, attachments: [{ key: 'b' }, { key: 'new' }] });
    const records = repository(r);
    const clock = await records.clock();
    const plan = planOf(
      [
        { id: 1, keys: ['a'] },
        { id: 2, keys: ['b'] },
      ],
      new Date(clock.latest().getTime() + 1000),
    );
    expect(await records.delete(r, everything(9), plan, clock)).toEqual({ answered: true });
    expect(await left()).toEqual([2]);
    const aftermath = await records.aftermath(r, everything(9), plan);
    expect(aftermath.standing).toEqual(new Map([['2', ['b', 'new']]]));
  });

  it('blames no record for what the server would refuse of any: that is an error', async () => {
    const view = resource({ idType: 'number', collection: 'shown' });
    await db.createCollection('shown', { viewOn: 'receipts', pipeline: [] });
    const records = repository(view);
    const clock = await records.clock();
    const plan = planOf([{ id: 1, keys: [] }], new Date(clock.latest().getTime() + 1000));
    await expect(records.delete(view, everything(9), plan, clock)).rejects.toMatchObject({ code: 166 });
  });

  it('cannot be said without ids or tenant', async () => {
    const records = repository(r);
    const clock = await records.clock();
    await expect(records.delete(r, everything(9), planOf([], new Date()), clock)).rejects.toThrow('needs ids');
    await expect(records.count(r, { ...everything(9), tenant: '' })).rejects.toThrow('needs a tenant');
  });
});

describe('who still refers to a key', () => {
  it('finds records of any tenant and resource, and tells which are outside the job', async () => {
    const invoices = resource({
      name: 'invoices',
      collection: 'invoices',
      objectKeyPaths: ['files[]'],
      idType: 'number',
    });
    const r = resource({ idType: 'number' });
    const records = repository(r, invoices);
    await db.collection('receipts').insertMany([
      { _id: 2, tenantId: 'acme', attachments: [{ key: 'in-job' }] },
      { _id: 3, tenantId: 'other', previewKey: 'other-tenant' },
      { _id: 99, tenantId: 'acme', previewKey: 'after-bound' },
    ] as never);
    await db.collection('invoices').insertOne({ _id: 1, tenantId: 'acme', files: ['x', 'other-resource'] } as never);
    const keys = ['free', 'in-job', 'other-tenant', 'after-bound', 'other-resource'];
    const found = await records.aftermath(r, everything(9), planOf([{ id: 1, keys }], new Date()));
    expect(found.standing.size).toBe(0);
    expect([...found.referred].sort()).toEqual(['after-bound', 'in-job', 'other-resource', 'other-tenant']);
    expect([...found.heldOutside].sort()).toEqual(['after-bound', 'other-resource', 'other-tenant']);
  });

  it('takes a record of the job for one of the job, by whichever resource its collection is looked at', async () => {
    const r = resource({ idType: 'number' });
    const archive = resource({ name: 'archive', idType: 'number' });
    await db.collection('receipts').insertMany([
      { _id: 2, tenantId: 'acme', previewKey: 'in-job' },
      { _id: 3, tenantId: 'other', previewKey: 'other-tenant' },
    ] as never);
    const plan = planOf([{ id: 1, keys: ['in-job', 'other-tenant'] }], new Date());
    const found = await repository(r, archive).aftermath(r, everything(9), plan);
    expect([...found.referred].sort()).toEqual(['in-job', 'other-tenant']);
    expect([...found.heldOutside]).toEqual(['other-tenant']);
  });

  it('finds a key behind another that thousands of records share', async () => {
    const r = resource({ idType: 'number' });
    await db.collection('receipts').createIndexes([{ key: { previewKey: 1 } }]);
    const sharers = Array.from({ length: 2500 }, (_, i) => ({ _id: i + 10, tenantId: 'acme', previewKey: 'logo' }));
    await db
      .collection('receipts')
      .insertMany([...sharers, { _id: 9999, tenantId: 'acme', previewKey: 'zzz' }] as never);
    const plan = planOf([{ id: 1, keys: ['logo', 'zzz', 'free'] }], new Date());
    const found = await repository(r).aftermath(r, everything(1), plan);
    expect([...found.referred].sort()).toEqual(['logo', 'zzz']);
  });
});

describe('missing indexes', () => {
  it('are told, with the command that makes them, and none once they stand', async () => {
    const records = repository(receipts);
    await db.dropDatabase();
    const missing = await records.missingIndexes(receipts);
    expect(missing).toEqual([{ tenantId: 1, _id: 1 }, { 'attachments.key': 1 }, { previewKey: 1 }]);
    expect(missing.map((keys) => createCommand(receipts, keys))[1]).toBe(
      'db.getCollection("receipts").createIndex({"attachments.key":1}, {"collation":{"locale":"simple"}})',
    );
    await db.collection('receipts').createIndexes([{ key: { tenantId: 1, _id: 1, company: 1 } }]);
    await db
      .collection('receipts')
      .createIndexes([{ key: { 'attachments.key': 1 }, partialFilterExpression: { total: { $gt: 1 } } }]);
    await db.collection('receipts').createIndexes([{ key: { previewKey: Long.fromNumber(-1) as never } }]);
    expect(await records.missingIndexes(receipts)).toEqual([{ 'attachments.key': 1 }]);
    await db.collection('receipts').createIndexes([{ key: { 'attachments.key': 1 }, name: 'whole' }]);
    expect(await records.missingIndexes(receipts)).toEqual([]);
  });
});
