import { expect, it } from '@jest/globals';
import type { Job } from './job-client.js';
import { describeJob } from './progress-text.js';

const now = Date.UTC(2026, 0, 1);
const running: Job = {
  id: 'j',
  status: 'running',
  rate: 649.6,
  eta: new Date(now + 1_400).toISOString(),
  progress: {
    processed: 1_201,
    succeeded: 1_200,
    failed_count: 1,
    total: null,
    objects: { purged: 2_100, retained: 0, failed: 0, pending: 300 },
  },
};

it('tells records, objects, failures, rate and time left', () => {
  expect(describeJob(running, { records: 2_000, objects: 4_000 }, now)).toBe(
    '1,200/2,000 records, 2,100/4,000 objects, 1 failed, 650/s, eta 2 s, running',
  );
});

it('leaves out what is not known, and what is over', () => {
  const unknown = { ...running, rate: null, eta: null };
  expect(describeJob(unknown, { records: 1, objects: 1 }, now)).toBe(
    '1,200/1 record, 2,100/1 object, 1 failed, running',
  );
  expect(describeJob({ ...running, status: 'completed' }, { records: 2, objects: 2 }, now)).toBe(
    '1,200/2 records, 2,100/2 objects, 1 failed, completed',
  );
});
