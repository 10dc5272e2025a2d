import { expect, it } from '@jest/globals';
import { followJob } from './follow-job.js';
import type { Job } from './job-client.js';

function job(status: string, processed: number): Job {
  const objects = { purged: 0, retained: 0, failed: 0, pending: 0 };
  return { id: 'j', status, progress: { processed, succeeded: processed, failed_count: 0, total: null, objects } };
}

function answers(...all: (Job | null | Error)[]) {
  let asked = 0;
  return {
    job: () => {
      const answer = all[Math.min(asked, all.length - 1)] ?? null;
      asked += 1;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
}

it('follows through an API that does not know the job yet, or is away for a moment, to its end', async () => {
  const seen: string[] = [];
  const api = answers(null, job('running', 1), new Error('ECONNREFUSED'), job('running', 1), job('completed', 2));
  const end = await followJob(api, 'j', ({ status, progress }) => seen.push(`${status} ${progress.processed}`));
  expect(end.status).toBe('completed');
  expect(seen).toEqual(['running 1', 'completed 2']);
});

it('gives up a job that does not move, with what is known of it', async () => {
  const api = answers({ ...job('running', 3), last_error: { code: 'STORE:MONGO_UNAVAILABLE' } });
  const following = followJob(api, 'j', () => undefined, { patience: 0 });
  await expect(following).rejects.toThrow(/job j has not moved for 0 s: \["running".*STORE:MONGO_UNAVAILABLE/);
});

it('gives up an API that never answers', async () => {
  const following = followJob(answers(new Error('fetch failed')), 'j', () => undefined, { patience: 0 });
  await expect(following).rejects.toThrow('job j has not moved for 0 s: fetch failed');
});
