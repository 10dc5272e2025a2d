import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareText, compareTimes } from './order.js';

const time = fc
  .tuple(
    fc.date({ min: new Date('2026-11-01T00:00:00Z'), max: new Date('2026-11-01T00:00:02Z'), noInvalidDate: true }),
    fc.constantFrom('milliseconds', 'seconds', 'microseconds'),
  )
  .map(([date, form]) => {
    const text = date.toISOString();
    if (form === 'milliseconds') return text;
    return form === 'seconds' ? `${text.slice(0, 19)}Z` : `${text.slice(0, 23)}500Z`;
  });

describe('two times', () => {
  it('are in the order of their instants, then of their text, whatever their forms', () => {
    fc.assert(
      fc.property(time, time, (a, b) => {
        expect(Math.sign(compareTimes(a, b))).toBe(Math.sign(Date.parse(a) - Date.parse(b)) || compareText(a, b));
      }),
      { numRuns: 1000 },
    );
  });
});
