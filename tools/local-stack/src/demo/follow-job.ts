import { setTimeout as delay } from 'node:timers/promises';
import { isOver } from '@expunge/cli';
import type { Job, JobClient } from './job-client.js';

const pollEvery = 250;

/**
 * Asks until the job is over. An API that does not answer for a while is waited for: it may be starting again.
 * @param patience milliseconds without any change of the job after which it is given up
 */
export async function followJob(
  client: Pick<JobClient, 'job'>,
  id: string,
  onChange: (job: Job) => void,
  { signal, patience = 120_000 }: { signal?: AbortSignal; patience?: number } = {},
): Promise<Job> {
  let last = '';
  let changedAt = Date.now();
  let trouble = 'it is not known yet';
  for (;;) {
    try {
      const job = await client.job(id);
      if (job !== null) {
        const now = JSON.stringify([job.status, job.progress]);
        trouble = `${now} ${JSON.stringify({ last_error: job.last_error, diagnosis: job.diagnosis })}`;
        if (now !== last) {
          last = now;
          changedAt = Date.now();
          onChange(job);
        }
        if (isOver(job)) return job;
      }
    } catch (error) {
      trouble = (error as Error).message;
    }
    if (Date.now() - changedAt > patience) {
      throw new Error(`job ${id} has not moved for ${patience / 1000} s: ${trouble}`);
    }
    await delay(pollEvery, undefined, { signal });
  }
}
