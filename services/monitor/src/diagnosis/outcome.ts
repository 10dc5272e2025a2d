import type { Circumstances, JobInQuestion } from './circumstances.js';
import { evidence, found, type Found } from './finding.js';
import { codeOf } from './stores.js';

/** Of a job that has come to its end and left something: what kept it from that, where a store did. */
export function ofOutcome({ job }: JobInQuestion, { now }: Circumstances): Found[] {
  const { lastError, objects, status } = job;
  if (!lastError || !['failed', 'completed_with_residue', 'cancelled'].includes(status)) return [];
  const isRecords = lastError.code.startsWith('RECORDS_UNAVAILABLE') && status === 'failed';
  if (!isRecords && objects.failed === 0) return [];
  const code = codeOf(isRecords ? 'records' : 'bucket', { code: lastError.code });
  if (!isRecords && code !== 'STORE:OBJECTS_DENIED') return [];
  const what = isRecords ? 'The job failed' : `${objects.failed} objects were refused`;
  return [
    found(code, 'blocking', `${what}: ${lastError.code}: ${lastError.message}`, {
      since: lastError.at,
      evidence: [
        evidence('ledger', 'last error of the job', {
          observed: `${lastError.code}: ${lastError.message}`,
          expected: 'none',
          at: now.toISOString(),
        }),
      ],
      nextActions: ['Mend what the error names, then retry the job.'],
    }),
  ];
}
