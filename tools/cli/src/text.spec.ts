import { describe, expect, it, test } from '@jest/globals';
import type { ShownJob } from './answers.js';
import { jobText, printable, progressText, table, verdictText } from './text.js';

const NOW = Date.parse('2026-11-01T10:00:00.000Z');
const job = (more: Partial<ShownJob> = {}, progress: Partial<ShownJob['progress']> = {}): ShownJob => ({
  id: 'j',
  tenant: 't',
  resource: 'receipts',
  status: 'running',
  selection: { all: true },
  reason: null,
  requested_by: null,
  requested_at: '2026-11-01T09:00:00.000Z',
  completed_at: null,
  max_records_per_second: null,
  progress: {
    processed: 1200,
    succeeded: 1200,
    failed_count: 0,
    total: 2000,
    total_is_estimate: false,
    percent: 60,
    objects: { purged: 0, retained: 0, failed: 0, pending: 0 },
    ...progress,
  },
  rate: null,
  eta: null,
  last_error: null,
  last_request: null,
  diagnosis: null,
  confirmation: null,
  dry_run: null,
  ...more,
});

test.each<[string, ShownJob]>([
  ['1,200/2,000 records, running', job()],
  ['1,200 records, running', job({}, { total: null })],
  ['1,200/about 2,000 records, running', job({}, { total_is_estimate: true })],
  [
    '1,200/2,000 records, 2,100/2,406 objects, 5 failed, 1 retained, running',
    job({}, { failed_count: 2, objects: { purged: 2100, retained: 1, failed: 3, pending: 302 } }),
  ],
  ['1,200/2,000 records, 651/s, eta 2 s, running', job({ rate: 650.6, eta: new Date(NOW + 1_100).toISOString() })],
  ['1,200/2,000 records, completed', job({ status: 'completed', rate: 650, eta: new Date(NOW).toISOString() })],
])('progress is told as "%s"', (text, shown) => {
  expect(progressText(shown, NOW)).toBe(text);
});

describe('a job', () => {
  it('is told with what there is to tell of it', () => {
    expect(jobText(job({ requested_by: 'mia' }), NOW).split('\n')).toEqual([
      'job           j',
      'tenant        t',
      'resource      receipts',
      'selection     {"all":true}',
      'requested     2026-11-01T09:00:00.000Z by mia',
      'progress      1,200/2,000 records, running',
    ]);
  });

  it('says what it waits for', () => {
    const counted = { total: 3_000_000, total_is_estimate: true };
    const text = jobText(
      job({
        confirmation: counted,
        diagnosis: { code: 'WORKER:NO_HEARTBEAT', severity: 'blocking', since: 'then', summary: 'No deleter.' },
        last_request: { id: 'r', type: 'PauseRequested', outcome: 'refused', reason: 'superseded', at: 'then' },
        max_records_per_second: 1500,
      }),
      NOW,
    );
    expect(text).toContain('confirmation  about 3,000,000 records match: confirm, or cancel');
    expect(text).toContain('diagnosis     WORKER:NO_HEARTBEAT (blocking, since then): No deleter.');
    expect(text).toContain('last request  PauseRequested refused: superseded');
    expect(text).toContain('limit         1,500 records a second');
  });

  it('moves no cursor, whatever somebody wrote into it', () => {
    const text = jobText(job({ reason: 'gone\u001b[2J\r\nstatus        completed\u0007' }), NOW);
    expect(text).toContain('reason        gone  status        completed');
  });
});

test('what is printed has no control characters', () => {
  expect(printable('a\u001b[31mb\tc\u009b')).toBe('ab c ');
});

test('without a verdict, nothing keeps a job from moving', () => {
  expect(verdictText({ code: null, severity: null, since: null, summary: null })).toBe('nothing keeps it from moving');
});

test('columns are as wide as their widest cell', () => {
  expect(
    table([
      ['A', 'B'],
      ['longer', 'x'],
      ['', 'y'],
    ]),
  ).toBe('A       B\nlonger  x\n        y');
});
