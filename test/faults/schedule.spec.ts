import { describe, expect, it } from '@jest/globals';
import { scheduleOf } from './schedule.js';

describe('a schedule', () => {
  it.each([2, 20])('of %s minutes is the same for the same seed, and another for another', (minutes) => {
    expect(scheduleOf(7, minutes)).toEqual(scheduleOf(7, minutes));
    expect(scheduleOf(8, minutes)).not.toEqual(scheduleOf(7, minutes));
  });

  it('lasts as long as it was asked to', () => {
    const lasts = scheduleOf(7, 3).reduce((sum, { afterMs }) => sum + afterMs, 0);
    expect(lasts).toBeLessThan(180_000);
    expect(lasts).toBeGreaterThan(170_000);
  });

  it('makes every kind of fault, and cancels one job in long runs only', () => {
    const kinds = (minutes: number) => [...new Set(scheduleOf(7, minutes).map(({ what }) => what))].sort();
    const always = ['cut-connections', 'freeze', 'kill', 'pause-and-resume', 'purge', 'repeat-request'];
    expect(kinds(2)).toEqual(always);
    expect(kinds(20)).toEqual(['cancel', ...always]);
    expect(scheduleOf(7, 20).filter(({ what }) => what === 'cancel')).toHaveLength(1);
  });
});
