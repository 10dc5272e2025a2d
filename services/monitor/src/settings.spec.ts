import { describe, expect, it } from '@jest/globals';
import { readSettings } from '@expunge/runtime';
import { MonitorSettings } from './settings.js';

const read = (more: Record<string, string>) =>
  readSettings(MonitorSettings, { RABBITMQ_URL: 'amqp://host', MONGODB_URL: 'mongodb://host', ...more });

describe('how long something is kept', () => {
  it('is given as a duration, and has a default', () => {
    const days = ({ JOB_RETENTION: jobs, FAILURE_RETENTION: failures }: MonitorSettings) =>
      [jobs, failures].map((ms) => ms / 86_400_000);
    expect(days(read({}))).toEqual([400, 90]);
    expect(days(read({ JOB_RETENTION: '48h', FAILURE_RETENTION: '1d' }))).toEqual([2, 1]);
  });

  it.each([
    ['JOB_RETENTION', '47h', 'JOB_RETENTION must be at least 2d, but is "47h"'],
    ['JOB_RETENTION', '3651d', 'JOB_RETENTION must be at most 3650d, but is "3651d"'],
    ['FAILURE_RETENTION', '0ms', 'FAILURE_RETENTION must be at least 1d, but is "0ms"'],
    [
      'FAILURE_RETENTION',
      'for ever',
      'FAILURE_RETENTION must be a duration such as 30s, 15m, 24h or 7d, but is "for ever"',
    ],
  ])('%s is not %s', (name, value, said) => {
    expect(() => read({ [name]: value })).toThrow(said);
  });
});
