import { describe, expect, it } from '@jest/globals';
import { firstDifference } from './first-difference.js';

const told = { status: 'running', heard: [[1, 4]], batches: { blocks: { '3': { resolved: '1-20', open: {} } } } };

describe('the first difference of two documents', () => {
  it('is none of equal ones', () => {
    expect(firstDifference(structuredClone(told), told)).toBeNull();
  });

  it.each([
    ['status', { ...told, status: 'failed' }, '"failed"', '"running"'],
    ['heard.0.1', { ...told, heard: [[1, 5]] }, '5', '4'],
    [
      'heard.1',
      {
        ...told,
        heard: [
          [1, 4],
          [6, 6],
        ],
      },
      '[6,6]',
      'nothing',
    ],
    ['batches.blocks.3', { ...told, batches: { blocks: {} } }, 'nothing', '{"resolved":"1-20","open":{}}'],
    ['more', { ...told, more: null }, 'null', 'nothing'],
    ['status', { heard: told.heard, batches: told.batches }, 'nothing', '"running"'],
    ['heard', { ...told, heard: { '0': [1, 4] } }, '{"0":[1,4]}', '[[1,4]]'],
    ['status', { ...told, status: 7n }, '"7n"', '"running"'],
    [
      '',
      Object.fromEntries(Object.entries(told).toReversed()),
      'order ["batches","heard","status"]',
      'order ["status","heard","batches"]',
    ],
  ])('is named by its path: %s', (path, stored, was, is) => {
    expect(firstDifference(stored, told)).toEqual({ path, stored: was, told: is });
  });

  it('shows long values by their beginning', () => {
    const { stored } = firstDifference({ key: 'x'.repeat(500) }, { key: 1 })!;
    expect(stored).toBe(`"${'x'.repeat(59)}…`);
  });
});
