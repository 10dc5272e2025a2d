import { describe, expect, it } from '@jest/globals';
import type { Recorded } from '../results.js';
import type { Run } from '../throughput/run.js';
import { median, ratiosOf, spreadOf } from './ratios.js';

type Told = Pick<Run, 'contestant' | 'turn' | 'records_per_second'> & Partial<Pick<Run, 'bucket' | 'files'>>;

const told = (run: Told): Recorded => ({ name: 'throughput', at: '', bucket: 'instant', files: 1, ...run });

describe('the ratio to the floor', () => {
  it('compares what ran in the same turn', () => {
    const runs = [
      told({ contestant: 'floor', turn: 1, records_per_second: 1000 }),
      told({ contestant: 'expunge-1', turn: 1, records_per_second: 900 }),
      told({ contestant: 'floor', turn: 2, records_per_second: 100 }),
      told({ contestant: 'expunge-1', turn: 2, records_per_second: 80 }),
      told({ contestant: 'floor', turn: 3, records_per_second: 1000 }),
      told({ contestant: 'expunge-1', turn: 3, records_per_second: 950 }),
    ];
    expect(ratiosOf(runs).to_floor['files_1']).toEqual({ min: 0.8, median: 0.9, max: 0.95 });
  });

  it('leaves out a turn in which one of them did not run, and another bucket or number of files', () => {
    const runs = [
      told({ contestant: 'floor', turn: 1, records_per_second: 100, files: 3 }),
      told({ contestant: 'floor', turn: 1, records_per_second: 100, bucket: 'remote' }),
      told({ contestant: 'floor', turn: 2, records_per_second: 100 }),
      told({ contestant: 'expunge-1', turn: 1, records_per_second: 90 }),
    ];
    expect(ratiosOf(runs).to_floor).toEqual({ files_0: null, files_1: null, files_3: null });
  });

  it('is told for one deleter and for two', () => {
    const runs = [
      told({ contestant: 'floor', turn: 1, records_per_second: 100 }),
      told({ contestant: 'expunge-1', turn: 1, records_per_second: 50 }),
      told({ contestant: 'expunge-2', turn: 1, records_per_second: 60 }),
    ];
    const { to_floor, to_floor_with_2_deleters: with2 } = ratiosOf(runs);
    expect([to_floor['files_1']?.median, with2['files_1']?.median]).toEqual([0.5, 0.6]);
  });
});

it('compares a bucket that is far away with one that answers at once', () => {
  const runs = [
    told({ contestant: 'expunge-1', turn: 1, records_per_second: 100 }),
    told({ contestant: 'expunge-1', turn: 1, records_per_second: 95, bucket: 'remote' }),
  ];
  expect(ratiosOf(runs).remote_to_instant['files_1']?.median).toBe(0.95);
});

it('takes the pairs of many jobs and one as they were measured', () => {
  const pairs = [1.1, 1.3, 1.2].map((ratio) => ({ name: 'many-to-one', at: '', ratio }));
  expect(ratiosOf(pairs).many_to_one).toEqual({ min: 1.1, median: 1.2, max: 1.3 });
  expect(ratiosOf([]).many_to_one).toBeNull();
});

it('finds the middle of an even number, too', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
  expect(spreadOf([])).toBeNull();
});
