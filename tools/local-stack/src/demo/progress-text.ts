import { count, format, outlook } from '@expunge/cli';
import type { Job } from './job-client.js';

export function describeFilling(filled: { records: number; objects: number }): string {
  return `${count(filled.records, 'record')}, ${count(filled.objects, 'object')}`;
}

/** `1,200/2,000 records, 2,100/4,000 objects, 650/s, eta 2 s, running` */
export function describeJob(job: Job, expected: { records: number; objects: number }, now: number): string {
  const { succeeded, failed_count, objects } = job.progress;
  const parts = [
    `${format(succeeded)}/${count(expected.records, 'record')}`,
    `${format(objects.purged)}/${count(expected.objects, 'object')}`,
    failed_count + objects.failed > 0 ? `${format(failed_count + objects.failed)} failed` : '',
    ...outlook(job, now),
  ];
  return parts.filter(Boolean).join(', ');
}
