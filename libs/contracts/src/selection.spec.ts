import { describe, expect, test } from '@jest/globals';
import { receipts, type ResourceDefinition } from './resource.js';
import { MAX_IDS, Selection, selectionFor } from './selection.js';

const resource: ResourceDefinition = {
  ...receipts,
  filterFields: [...receipts.filterFields, { name: 'paid', type: 'boolean' }],
};
const id = '65a0f0f0f0f0f0f0f0f0f0f0';
const onlyOneOf = ': must have exactly one of all, ids, filter';
const noSelection = ': must be one of {"all": true}, {"ids": […]}, {"filter": {…}}';
const emptyFilter = 'filter: is empty: name a field, or say {"all": true}';
const noDate = 'must be an RFC 3339 date or date-time';

function problems(asked: unknown, of: ResourceDefinition = resource): string[] {
  const parsed = selectionFor(of).safeParse(asked);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('a selection is taken', () => {
  const taken: [string, unknown][] = [
    ['everything', { all: true }],
    ['by ids', { ids: [id] }],
    ['as many ids as one request may name', { ids: Array.from({ length: MAX_IDS }, () => id) }],
    ['by a value', { filter: { company: 'Tan Woon Yann' } }],
    ['by the empty string, which a field can hold', { filter: { company: '' } }],
    ['by a value of each type', { filter: { company: 'a', date: '2018-12-25', total: 9.5, paid: false } }],
    ['by a range', { filter: { total: { gt: 1, lte: 9 } } }],
    ['by a date-time with an offset', { filter: { date: { gte: '2018-12-25T00:00:00+08:00' } } }],
    ['by a list', { filter: { company: { in: ['a', 'b'] } } }],
    ['by equality said in full', { filter: { company: { eq: 'a' } } }],
  ];
  test.each(taken)('%s', (_, asked) => {
    expect(problems(asked)).toEqual([]);
    expect(selectionFor(resource).parse(asked)).toStrictEqual(asked);
  });

  test.each(taken)('%s, as a message may carry it', (_, asked) => {
    expect(Selection.parse(asked)).toStrictEqual(asked);
  });

  test('with its ids in the form the database has them', () => {
    expect(selectionFor(resource).parse({ ids: [id.toUpperCase()] })).toEqual({ ids: [id] });
  });
});

describe('a selection is refused', () => {
  test.each<[string, unknown, string[]]>([
    ['nothing', undefined, [noSelection]],
    ['null', null, [noSelection]],
    ['a word', 'all', [noSelection]],
    ['a list', [], [noSelection]],
    ['an empty one', {}, [onlyOneOf]],
    ['two at once', { all: true, ids: [id] }, [onlyOneOf]],
    ['everything, not quite said', { all: false }, ['all: Invalid input: expected true']],
    ['a misspelt one', { al: true }, [onlyOneOf]],
    ['with something beside', { all: true, limit: 5 }, ['limit: is no field that can be selected by']],
    ['no ids', { ids: [] }, ['ids: Too small: expected array to have >=1 items']],
    [
      'more ids than one request may name',
      { ids: Array.from({ length: MAX_IDS + 1 }, () => id) },
      ['ids: Too big: expected array to have <=10000 items'],
    ],
    ['an id of another form', { ids: [id, '7'] }, ['ids.1: must be 24 hexadecimal digits']],
    ['an empty filter', { filter: {} }, [emptyFilter]],
    ['an unknown field', { filter: { tenantId: 'b' } }, ['filter.tenantId: is no field that can be selected by']],
    [
      'an unknown field beside a known one',
      { filter: { company: 'a', $where: '1' } },
      ['filter.$where: is no field that can be selected by'],
    ],
    [
      'an operator of the database',
      { filter: { company: { $ne: 'a' } } },
      ['filter.company.$ne: is no comparison: use eq, in, gt, gte, lt, lte'],
    ],
    ['no comparison', { filter: { total: {} } }, ['filter.total: needs at least one of eq, in, gt, gte, lt, lte']],
    [
      'an empty list to be in',
      { filter: { company: { in: [] } } },
      ['filter.company.in: Too small: expected array to have >=1 items'],
    ],
    [
      'a number in words',
      { filter: { total: '5' } },
      ['filter.total: Invalid input: expected number, received string'],
    ],
    [
      'a number that JSON.parse rounded',
      { filter: { total: Number('9007199254740993') } },
      ['filter.total: is beyond 2^53, where numbers in JSON are rounded'],
    ],
    ['a date that is none', { filter: { date: '2018-02-30' } }, [`filter.date: ${noDate}`]],
    [
      'a date without its time zone',
      { filter: { date: { lt: '2018-12-25T00:00:00' } } },
      [`filter.date.lt: ${noDate}`],
    ],
    ['half a surrogate pair', { filter: { company: 'a\ud800' } }, ['filter.company: must be well-formed Unicode']],
    [
      'null, which a missing field would equal',
      { filter: { company: null } },
      ['filter.company: Invalid input: expected string, received null'],
    ],
  ])('%s', (_, asked, expected) => {
    expect(problems(asked)).toEqual(expected);
  });

  test.each([
    ['selection', '{"all": true, "__proto__": {}}', '__proto__: is no field'],
    ['filter', '{"filter": {"company": "a", "__proto__": "b"}}', 'filter.__proto__: is no field'],
    ['comparison', '{"filter": {"total": {"gt": 1, "__proto__": 2}}}', 'filter.total.__proto__: is no comparison'],
  ])('with __proto__ as a member of its %s, also in a message', (_, json, told) => {
    const asked: unknown = JSON.parse(json);
    expect(problems(asked)).toEqual([expect.stringContaining(told)]);
    expect(Selection.safeParse(asked).success).toBe(false);
  });

  test('by any field, of a resource that can be selected by none', () => {
    const of = { ...receipts, filterFields: [] };
    expect(problems({ filter: { company: 'a' } }, of)).toEqual(['filter.company: is no field that can be selected by']);
    expect(problems({ filter: {} }, of)).toEqual([emptyFilter]);
  });
});

describe('a selection in a message', () => {
  test.each([
    ['empty', {}],
    ['everything, not quite', { all: false }],
    ['two at once', { all: true, ids: [id] }],
    ['no ids', { ids: [] }],
    ['an empty filter', { filter: {} }],
    ['no comparison', { filter: { total: {} } }],
    ['an unknown comparison', { filter: { total: { $gt: 1 } } }],
    ['null to equal', { filter: { company: null } }],
  ])('is never %s: %j', (_, selection) => {
    expect(Selection.safeParse(selection).success).toBe(false);
  });
});
