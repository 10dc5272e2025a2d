import { deleteRequestedId, DeleteRequested } from '@expunge/contracts';
import type { DeletionJob } from './deletion-job.js';
import type { FullPage, PageRecord } from './plan-batch.js';
import { startJob } from './start-job.js';

/** What the specs of the core begin with. */
export const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);

export const request: DeleteRequested = DeleteRequested.create({
  id: deleteRequestedId('job-1'),
  source: 'urn:expunge:api',
  subject: 'job-1',
  time: at(0).toISOString(),
  tenantid: 'acme',
  data: {
    resource: 'receipts',
    selection: { all: true },
    options: { batchSize: 2 },
    requestedBy: 'ops',
    reason: null,
    notAfter: at(600).toISOString(),
  },
});

/** A job just taken on, its first event out. */
export function runningJob(change: Partial<DeletionJob> = {}): DeletionJob {
  const job = startJob(request, {
    bodyHash: 'hash',
    bound: { idAtMost: 'z' },
    total: 4,
    instance: 'deleter-1',
    now: at(1),
  });
  return { ...job, outbox: [], ...change };
}

export const record = (id: string, ...keys: string[]): PageRecord => ({ id, keys: { readable: true, keys } });

export const page = (...records: PageRecord[]): FullPage => ({
  records,
  closesAt: records.at(-1)?.id ?? '',
  window: null,
});

export const planFacts = { owner: 'deleter-1:1', until: at(11), keyPrefix: 'tenants/acme/', now: at(10) };
