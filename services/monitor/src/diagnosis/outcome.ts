import type { JobProjection } from '../projection/job.js';
import type { Circumstances, JobInQuestion } from './circumstances.js';
import { evidence, found, type Found } from './finding.js';
import { codeOf } from './stores.js';

/** A refusal of so long ago says nothing of the objects that go now; at the end of the job it is told again. */
const REFUSALS_MATTER_MS = 15_000;

/** Of a job that goes on while objects of it are refused for good. */
export function ofRefusals({ job }: JobInQuestion, { now }: Circumstances): Found[] {
  const { lastError, objects } = job;
  if (!lastError || objects.failed === 0 || codeOf('bucket', lastError) !== 'STORE:OBJECTS_DENIED') return [];
  if (now.getTime() - Date.parse(lastError.at) > REFUSALS_MATTER_MS) return [];
  return [byLastError('STORE:OBJECTS_DENIED', 'warning', refused(objects.failed), lastError, now)];
}

/** Of a job that has come to its end and left something: what kept it from that, where a store did. */
export function ofOutcome({ job }: JobInQuestion, { now }: Circumstances): Found[] {
  const { lastError, objects, status } = job;
  if (!lastError || !['failed', 'completed_with_residue', 'cancelled'].includes(status)) return [];
  const isRecords = lastError.code.startsWith('RECORDS_UNAVAILABLE') && status === 'failed';
  if (!isRecords && objects.failed === 0) return [];
  const code = codeOf(isRecords ? 'records' : 'bucket', { code: lastError.code });
  if (!isRecords && code !== 'STORE:OBJECTS_DENIED') return [];
  const what = isRecords ? 'The job failed' : refused(objects.failed);
  return [byLastError(code, 'blocking', what, lastError, now)];
}

const refused = (objects: number): string => `${objects} objects were refused`;

function byLastError(
  code: Found['code'],
  severity: Found['severity'],
  what: string,
  { at, code: error, message }: NonNullable<JobProjection['lastError']>,
  now: Date,
): Found {
  const observed = `${error}: ${message}`;
  return found(code, severity, `${what}: ${observed}`, {
    since: at,
    evidence: [evidence('ledger', 'last error of the job', { observed, expected: 'none', at: now.toISOString() })],
    nextActions: ['Mend what the error names, then retry the job.'],
  });
}
