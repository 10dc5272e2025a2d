import { expect, it } from '@jest/globals';
import { runOf } from './run.js';

const subject = { contestant: 'floor', bucket: 'instant', files: 2, turn: 1 } as const;
const before = {
  floor: { cpuSeconds: 1, peakMb: 50, writtenBytes: 10 },
  mongodb: { cpuSeconds: 2, peakMb: 100, writtenBytes: 1000 },
};
const after = {
  floor: { cpuSeconds: 1.234, peakMb: 60, writtenBytes: 999 },
  mongodb: { cpuSeconds: 3, peakMb: 120, writtenBytes: 5000 },
};

it('tells rates, what each process used meanwhile, and what the servers wrote for each record and object', () => {
  const took = { records: 1000, objects: 2000, seconds: 0.5, firstBatchMs: 12.4 };
  expect(runOf(subject, took, before, after)).toEqual({
    ...subject,
    records: 1000,
    objects: 2000,
    seconds: 0.5,
    records_per_second: 2000,
    objects_per_second: 4000,
    first_batch_ms: 12,
    cpu_seconds: { floor: 0.23, mongodb: 1 },
    peak_mb: { floor: 60, mongodb: 120 },
    written_bytes: { per_record: { mongodb: 4 }, per_object: { mongodb: 2 } },
  });
});

it('tells nothing for each object where there are none', () => {
  const took = { records: 1000, objects: 0, seconds: 1, firstBatchMs: 1 };
  const { objects_per_second: rate, written_bytes: written } = runOf(subject, took, before, after);
  expect([rate, written.per_object]).toEqual([0, {}]);
});
