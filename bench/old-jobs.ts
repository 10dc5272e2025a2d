import type { Db } from 'mongodb';
import { compact } from '../services/monitor/src/ledger/compact.js';
import { entryOf, LedgerRepository } from '../services/monitor/src/ledger/ledger.repository.js';
import { evolveAll } from '../services/monitor/src/projection/evolve.js';
import type { JobProjection } from '../services/monitor/src/projection/job.js';
import { JobRepository } from '../services/monitor/src/projection/job.repository.js';
import type { Recorded } from '../services/monitor/src/projection/recorded.js';
import { jobCompleted } from '../services/monitor/src/projection/status.js';
import { Story } from '../services/monitor/src/testing/story.js';

const JOBS_AT_ONCE = 1000;

/** Completed jobs of one batch each, numbered, in the ledger and in the projection of a monitor that has nothing to do. */
export async function writeOldJobs(db: Db, { from, to }: { from: number; to: number }): Promise<void> {
  const [ledger, jobs] = [new LedgerRepository(db), new JobRepository(db)];
  const receivedAt = new Date();
  let after = await ledger.lastPosition();
  for (let begun = from; begun < to;) {
    const told = oldJobs(Math.min(JOBS_AT_ONCE, to - begun), begun, after);
    const entries = told.flatMap(({ recorded }) =>
      recorded.map((event) => entryOf(event.message, event.position, receivedAt)),
    );
    const { inserted, refused } = await ledger.insertInOrder(entries);
    if (inserted === 0 && refused === 'position') {
      // The monitor has heard of the end of the job before.
      after = await ledger.lastPosition();
      continue;
    }
    if (inserted < entries.length) throw new Error(`the ledger refused an entry for its ${refused}`);
    await Promise.all(told.map(({ job }) => jobs.write(job, null)));
    begun += told.length;
    after += entries.length;
  }
}

function oldJobs(count: number, from: number, after: number): ReturnType<typeof oldJob>[] {
  let position = after;
  return Array.from({ length: count }, (_, i) => {
    const job = oldJob(from + i, position);
    position += job.recorded.length;
    return job;
  });
}

function oldJob(number: number, after: number): { recorded: Recorded[]; job: JobProjection } {
  const id = `0192f5c2-0000-7000-9000-${number.toString(16).padStart(12, '0')}`;
  const story = new Story(id, Date.now() - 7 * 86_400_000 + number, `old-tenant-${number % 50}`);
  story.requested().started(500).batch(500, 0).finished().recordsVerified(0, 0);
  const fold = (): { recorded: Recorded[]; job: JobProjection } => {
    const recorded = story.events.map((event, i) => ({ position: after + 1 + i, message: compact(event) }));
    const job = evolveAll(null, recorded);
    if (job === null) throw new Error(`${id} has no projection`);
    return { recorded, job };
  };
  story.completed(jobCompleted(fold().job, story.after(1).toISOString()));
  const old = fold();
  if (!old.job.settled) throw new Error(`${id} is not over: it is ${old.job.status}`);
  return old;
}
