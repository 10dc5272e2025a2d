import { describe, expect, it } from '@jest/globals';
import { parseDate, parseTotal, readFields } from './receipt-fields.js';

describe('a scanned date', () => {
  it.each([
    ['25/12/2018', '2018-12-25'],
    ['5/3/2018', '2018-03-05'],
    ['23-01-2019', '2019-01-23'],
    ['18/03/18', '2018-03-18'],
    ['29 MAR 2018', '2018-03-29'],
    ['2018-03-23', '2018-03-23'],
    ['20180304', '2018-03-04'],
  ])('%s is %s', (text, day) => {
    expect(parseDate(text)?.toISOString()).toBe(`${day}T00:00:00.000Z`);
  });

  it.each(['', '31/04/2018', '12/25/2018', '00/01/2018', 'MONDAY', '1/1/20188'])('%j is none', (text) => {
    expect(parseDate(text)).toBeNull();
  });
});

describe('a scanned total', () => {
  it.each([
    ['9.00', 9],
    ['$8.20', 8.2],
    ['RM 1,234.50', 1234.5],
    ['-3', -3],
  ])('%s is %d', (text, number) => {
    expect(parseTotal(text)).toBe(number);
  });

  it.each(['', '8.20.1', '1,23', 'nine'])('%j is none', (text) => {
    expect(parseTotal(text)).toBeNull();
  });
});

it('keeps as text, and names, what it cannot read', () => {
  expect(readFields({ company: 'A', date: 'MONDAY', total: '' })).toEqual({
    fields: { company: 'A', date: 'MONDAY', total: '' },
    keptAsText: ['date', 'total'],
  });
});
