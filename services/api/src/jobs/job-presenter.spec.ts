import type { JobView } from '@expunge/contracts';
import { describe, expect, test } from '@jest/globals';
import { newAcceptance } from '../acceptance/acceptance.js';
import { FIRST_IDS, notSeenByMonitor, presentAcceptance, presentJob, seenByMonitor } from './job-presenter.js';

const at = (second: number): string => new Date(Date.UTC(2026, 10, 1, 10, 0, second)).toISOString();

const running: JobView = {
  id: 'j1',
  tenant: 'acme',
  resource: 'receipts',
  selection: { idCount: 3, firstIds: ['a', 'b', 'c'] },
  options: { batchSize: 50, maxRecordsPerSecond: 400 },
  maxRecordsPerSecond: 200,
  requestedBy: 'ann',
  reason: 'contract ended',
  requestedAt: at(0),
  status: 'running',
  progress: {
    processed: 51,
    succeeded: 50,
    failed: 1,
    total: 200,
    totalIsEstimate: true,
    percent: 25.5,
    objects: { handedOver: 90, purged: 40, failed: 2, retained: 3, pending: 48 },
  },
  recordsPerSecond: 12.5,
  eta: at(30),
  delayed: { cause: 'store', error: { code: 'RECORDS_UNAVAILABLE', message: 'away' }, attempt: 2, retryAt: at(9) },
  lastError: { code: 'RECORDS_UNAVAILABLE', message: 'away', at: at(5) },
  lastRequest: { id: 'r1', type: 'PauseRequested', outcome: 'refused', reason: 'superseded', at: at(4) },
  pickedUp: { instance: 'deleter-1', at: at(1) },
  worker: { instance: 'deleter-2', at: at(5) },
  startedAt: at(1),
  finishedAt: null,
  completedAt: null,
  confirmation: null,
  dryRun: null,
  residue: {
    records: { left: 1, otherTypes: null, isComplete: true },
    objects: { checked: 9, present: 2, refused: 0 },
  },
  diagnosis: { code: 'CONSUMER:NONE', severity: 'blocking', since: at(6), summary: 'Nobody consumes q.' },
  updatedAt: at(5),
  failures: [{ id: 'x', code: 'KEY_UNREADABLE', message: 'attachments is no list' }],
  retained: ['tenants/acme/shared.jpg'],
  traceparent: null,
  sequence: 4,
  position: 17,
};

describe('a job', () => {
  test('is shown in snake_case with its progress', () => {
    expect(presentJob(running, 'acme')).toEqual({
      id: 'j1',
      tenant: 'acme',
      resource: 'receipts',
      status: 'running',
      selection: { id_count: 3, first_ids: ['a', 'b', 'c'] },
      options: {
        batch_size: 50,
        max_records_per_second: 400,
        verify: 'sample',
        dry_run: false,
        based_on: null,
        expected_max_records: null,
      },
      max_records_per_second: 200,
      reason: 'contract ended',
      requested_by: 'ann',
      requested_at: at(0),
      started_at: at(1),
      finished_at: null,
      completed_at: null,
      progress: {
        processed: 51,
        succeeded: 50,
        failed_count: 1,
        total: 200,
        total_is_estimate: true,
        percent: 25.5,
        objects: { purged: 40, retained: 3, failed: 2, pending: 48 },
      },
      rate: 12.5,
      eta: at(30),
      delayed: { cause: 'store', code: 'RECORDS_UNAVAILABLE', message: 'away', attempt: 2, retry_at: at(9) },
      last_error: { code: 'RECORDS_UNAVAILABLE', message: 'away', at: at(5) },
      last_request: { id: 'r1', type: 'PauseRequested', outcome: 'refused', reason: 'superseded', at: at(4) },
      confirmation: null,
      dry_run: null,
      residue: {
        records: { left: 1, other_id_types: null, is_complete: true },
        objects: { checked: 9, present: 2, refused: 0 },
      },
      picked_up: { instance: 'deleter-1', at: at(1) },
      diagnosis: { code: 'CONSUMER:NONE', severity: 'blocking', since: at(6), summary: 'Nobody consumes q.' },
      failures: [{ id: 'x', code: 'KEY_UNREADABLE', message: 'attachments is no list' }],
      retained_keys: ['tenants/acme/shared.jpg'],
      trace_id: null,
      links: { self: '/api/jobs/j1', diagnosis: '/api/jobs/j1/diagnosis' },
    });
  });

  test('tells the trace of its request, and where to look at it', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(presentJob({ ...running, traceparent }, 'acme', 'https://jaeger.example')).toMatchObject({
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      links: { trace: 'https://jaeger.example/trace/0af7651916cd43dd8448eb211c80319c' },
    });
    expect(presentJob({ ...running, traceparent }, 'acme').links).not.toHaveProperty('trace');
    expect(presentJob(running, 'acme', 'https://jaeger.example').links).not.toHaveProperty('trace');
    const unsampled = { ...running, traceparent: traceparent.replace(/01$/, '00') };
    expect(presentJob(unsampled, 'acme', 'https://jaeger.example').links).not.toHaveProperty('trace');
  });

  test('has no percent while its total is not known', () => {
    const progress = { ...running.progress, total: null, percent: 100 };
    expect(presentJob({ ...running, progress }, 'acme').progress).toMatchObject({ total: null, percent: null });
  });

  test('carries how fresh the answer is', () => {
    expect(seenByMonitor({ position: 17, at: at(5), lagMs: 0, monitorHeartbeatAgeMs: 900 })).toEqual({
      as_of: { position: 17, at: at(5), lag_ms: 0, monitor_heartbeat_age_ms: 900 },
      not_checked: [],
    });
    expect(notSeenByMonitor).toEqual({
      as_of: { position: null, at: null, lag_ms: null, monitor_heartbeat_age_ms: null },
      not_checked: ['monitor'],
    });
  });
});

describe('a job just accepted', () => {
  const ids = Array.from({ length: 25 }, (_, n) => `id${n}`);
  const acceptance = newAcceptance(
    'j2',
    {
      tenant: 'acme',
      requestedBy: 'ann',
      request: { resource: 'receipts', selection: { ids }, options: { batchSize: 500 }, reason: null },
    },
    new Date(at(0)),
    60_000,
  );

  test('is queued, with nothing done and nothing claimed', () => {
    const shown = presentAcceptance(acceptance);
    expect(shown).toMatchObject({
      id: 'j2',
      tenant: 'acme',
      status: 'queued',
      requested_by: 'ann',
      requested_at: at(0),
      selection: { id_count: 25, first_ids: ids.slice(0, FIRST_IDS) },
      options: { batch_size: 500, max_records_per_second: null },
      max_records_per_second: null,
      progress: { processed: 0, total: null, percent: null },
      picked_up: null,
    });
  });

  test('has the same members as one the monitor knows', () => {
    const members = (job: object): string[] => Object.keys(job).sort();
    const shown = presentAcceptance(acceptance);
    const known = presentJob(running, 'acme');
    expect(members(shown)).toEqual(members(known));
    expect(members(shown.progress)).toEqual(members(known.progress));
  });
});
