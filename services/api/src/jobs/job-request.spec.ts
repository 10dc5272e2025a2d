import { receipts, type ResourceDefinition } from '@expunge/contracts';
import { describe, expect, test } from '@jest/globals';
import { parseJobRequest } from './job-request.js';

const id = (n: number): string => n.toString(16).padStart(24, '0');
const notes: ResourceDefinition = {
  ...receipts,
  name: 'notes',
  idType: 'number',
  filterFields: [
    { name: 'open', type: 'boolean' },
    { name: 'meta/kind', type: 'string' },
  ],
};
const resources = new Map([receipts, notes].map((resource) => [resource.name, resource]));
const all = { resource: 'receipts', selection: { all: true } };
const dryRun = 'a8f5f167-0e5a-4d3b-9c1e-2b7d6a1f0c33';
const request = { resource: 'receipts', options: { batchSize: 2000 }, reason: null };

describe('a request', () => {
  const taken: [string, unknown, unknown][] = [
    ['everything, said so', all, { ...request, selection: { all: true } }],
    [
      'ids, written as the store writes them',
      { ...all, selection: { ids: [id(0xab).toUpperCase()] } },
      { ...request, selection: { ids: [id(0xab)] } },
    ],
    [
      'a filter by value, by list and by range',
      {
        ...all,
        selection: { filter: { company: 'A', total: { in: [1, 2] }, date: { gte: '2018-01-01', lt: '2019-01-01' } } },
      },
      {
        ...request,
        selection: { filter: { company: 'A', total: { in: [1, 2] }, date: { gte: '2018-01-01', lt: '2019-01-01' } } },
      },
    ],
    [
      'options and a reason',
      { ...all, options: { batch_size: 50, max_records_per_second: 5 }, reason: 'contract ended' },
      {
        ...request,
        selection: { all: true },
        options: { batchSize: 50, maxRecordsPerSecond: 5 },
        reason: 'contract ended',
      },
    ],
    ['nulls and empty options', { ...all, options: {}, reason: null }, { ...request, selection: { all: true } }],
    [
      'numeric ids, digits beyond 2^53',
      { resource: 'notes', selection: { ids: [7, '9007199254740993'] } },
      { ...request, resource: 'notes', selection: { ids: [7, '9007199254740993'] } },
    ],
  ];
  test.each(taken)('is taken: %s', (_, body, parsed) => {
    expect(parseJobRequest(body, resources)).toEqual({ ok: true, request: parsed });
  });

  const selecting = (selection: unknown): unknown => ({ resource: 'receipts', selection });
  const refused: [string, unknown, [pointer: string, detail: string | RegExp][]][] = [
    ['no body', undefined, [['', 'must be a JSON object']]],
    ['a list', [], [['', 'must be a JSON object']]],
    [
      'nothing in it',
      {},
      [
        ['/resource', 'is required'],
        ['/selection', 'is required'],
      ],
    ],
    ['an unknown resource', { ...all, resource: 'invoices' }, [['/resource', 'must be one of receipts, notes']]],
    ['a resource that is no text', { ...all, resource: 7 }, [['/resource', /string/]]],
    ['an unknown member', { ...all, priority: 1 }, [['/priority', 'is not known here']]],
    [
      'a number that is expected of a dry run',
      { ...all, options: { dry_run: true, expected_max_records: 7 } },
      [['/options/expected_max_records', 'has no meaning for a dry run']],
    ],
    [
      'a dry run based on another',
      { ...all, options: { dry_run: true, based_on: dryRun } },
      [['/options/based_on', 'has no meaning for a dry run']],
    ],
    ['what is no job', { ...all, options: { based_on: 'last week' } }, [['/options/based_on', /UUID/]]],
    ['none expected', { ...all, options: { expected_max_records: 0 } }, [['/options/expected_max_records', />=1/]]],
    ['a batch of none', { ...all, options: { batch_size: 0 } }, [['/options/batch_size', />=1/]]],
    ['a batch too large', { ...all, options: { batch_size: 2001 } }, [['/options/batch_size', /<=2000/]]],
    ['a batch size in words', { ...all, options: { batch_size: '50' } }, [['/options/batch_size', /number/]]],
    ['a reason too long', { ...all, reason: 'x'.repeat(1001) }, [['/reason', /1000/]]],
    ['a selection that is no object', selecting('all'), [['/selection', /must be one of/]]],
    ['null', selecting(null), [['/selection', /must be one of/]]],
    ['an empty selection', selecting({}), [['/selection', 'must have exactly one of all, ids, filter']]],
    ['two selections', selecting({ all: true, ids: [id(1)] }), [['/selection', /exactly one/]]],
    ['all: false', selecting({ all: false }), [['/selection/all', /true/]]],
    ['all: "true"', selecting({ all: 'true' }), [['/selection/all', /true/]]],
    ['more than all', selecting({ all: true, except: 1 }), [['/selection/except', /is no field/]]],
    ['no ids', selecting({ ids: [] }), [['/selection/ids', />=1/]]],
    [
      'too many ids',
      selecting({ ids: Array.from({ length: 10_001 }, (_, n) => id(n)) }),
      [['/selection/ids', /<=10000/]],
    ],
    ['ids that are no list', selecting({ ids: id(1) }), [['/selection/ids', /array/]]],
    ['a bad id', selecting({ ids: [id(1), 'x'] }), [['/selection/ids/1', 'must be 24 hexadecimal digits']]],
    ['an id of another type', selecting({ ids: [7] }), [['/selection/ids/0', /string/]]],
    [
      'an id twice, written differently',
      selecting({ ids: [id(0xab), id(1), id(0xab).toUpperCase()] }),
      [['/selection/ids/2', 'repeats the value at 0']],
    ],
    [
      'a number twice, as number and as digits',
      { resource: 'notes', selection: { ids: [7, '7'] } },
      [['/selection/ids/1', 'repeats the value at 0']],
    ],
    [
      'a number that JSON cannot carry',
      JSON.parse('{"resource": "notes", "selection": {"ids": [9007199254740993]}}'),
      [['/selection/ids/0', /beyond 2\^53/]],
    ],
    [
      'an empty filter',
      selecting({ filter: {} }),
      [['/selection/filter', 'is empty: name a field, or say {"all": true}']],
    ],
    ['an unknown field', selecting({ filter: { amount: 1 } }), [['/selection/filter/amount', /is no field/]]],
    [
      'the prototype as a field',
      JSON.parse('{"resource": "receipts", "selection": {"filter": {"company": "A", "__proto__": "B"}}}'),
      [['/selection/filter/__proto__', /is no field/]],
    ],
    ['a field of the wrong type', selecting({ filter: { total: '9' } }), [['/selection/filter/total', /number/]]],
    ['a field that is null', selecting({ filter: { company: null } }), [['/selection/filter/company', /string/]]],
    ['a list where a value stands', selecting({ filter: { company: ['A'] } }), [['/selection/filter/company', /.+/]]],
    ['an empty condition', selecting({ filter: { total: {} } }), [['/selection/filter/total', /at least one of/]]],
    [
      'an unknown operator',
      selecting({ filter: { total: { ne: 1 } } }),
      [['/selection/filter/total/ne', /is no comparison/]],
    ],
    [
      'an operator of the database',
      selecting({ filter: { total: { $gt: 1 } } }),
      [['/selection/filter/total/$gt', /is no comparison/]],
    ],
    ['an empty in', selecting({ filter: { total: { in: [] } } }), [['/selection/filter/total/in', />=1/]]],
    [
      'a value twice in in',
      selecting({ filter: { total: { in: [1, 1] } } }),
      [['/selection/filter/total/in/1', /repeats/]],
    ],
    ['no date', selecting({ filter: { date: '2018-02-30' } }), [['/selection/filter/date', /RFC 3339/]]],
    [
      'a date-time without offset',
      selecting({ filter: { date: '2018-02-03T10:00:00' } }),
      [['/selection/filter/date', /RFC/]],
    ],
    [
      'a field with a slash in its name',
      { resource: 'notes', selection: { filter: { 'meta/kind': 1 } } },
      [['/selection/filter/meta~1kind', /string/]],
    ],
    [
      'several at once',
      { resource: 'receipts', selection: { filter: { total: 'x', amount: 1 } }, options: { verify: true } },
      [
        ['/options/verify', /one of/],
        ['/selection/filter/amount', /is no field/],
        ['/selection/filter/total', /number/],
      ],
    ],
  ];
  test.each(refused)('is refused, naming the field: %s', (_, body, errors) => {
    expect(parseJobRequest(body, resources)).toEqual({
      ok: false,
      errors: errors.map(([pointer, detail]) => ({
        pointer,
        detail: typeof detail === 'string' ? detail : (expect.stringMatching(detail) as unknown),
      })),
    });
  });
});
