import type { Db } from 'mongodb';
import { compact } from '../services/monitor/src/ledger/compact.js';
import { entryOf, LedgerRepository } from '../services/monitor/src/ledger/ledger.repository.js';
import { evolveAll } from '../services/monitor/src/projection/evolve.js';
import { JobRepository } from '../services/monitor/src/projection/job.repository.js';
import type { LedgerMessage, Recorded } from '../services/monitor/src/projection/recorded.js';
import { Story } from '../services/monitor/src/testing/story.js';

/** Most jobs are small, few are large; of each size as many. */
const BATCHES = [1, 1, 2, 2, 3, 5, 8, 20, 60, 400, 4000];
const AT_ONCE = 40;
const ENTRIES_AT_ONCE = 5000;
/** Events of one job that come one after the other. */
const RUN = 12;

interface Told {
  id: string;
  messages: LedgerMessage[];
  recorded: Recorded[];
}

/** A ledger of so many events as monitors write it, of many jobs at once, and the projection that they fold from it. */
export async function writeLedger(db: Db, events: number): Promise<{ jobs: number }> {
  const [ledger, jobs] = [new LedgerRepository(db), new JobRepository(db)];
  await Promise.all([ledger.createIndexes(), jobs.createIndexes()]);
  const receivedAt = new Date();
  let begun = 0;
  let position = 0;
  let entries: ReturnType<typeof entryOf>[] = [];
  let over: Told[] = [];
  const open: Told[] = [];
  const flush = async () => {
    if (entries.length > 0) await ledger.insertInOrder(entries);
    await Promise.all(
      over.map(async ({ recorded }) => {
        const job = evolveAll(null, recorded);
        if (job) await jobs.write(job, null);
      }),
    );
    [entries, over] = [[], []];
  };
  while (position < events) {
    while (open.length < AT_ONCE) open.push(jobOf(begun++));
    // In turns.
    for (const job of open.splice(0, 1)) {
      for (const message of job.messages.splice(0, Math.min(RUN, events - position))) {
        job.recorded.push({ position: ++position, message });
        entries.push(entryOf(message, position, receivedAt));
      }
      (job.messages.length === 0 ? over : open).push(job);
    }
    if (entries.length >= ENTRIES_AT_ONCE) await flush();
  }
  over.push(...open);
  const heard = begun - open.filter(({ recorded }) => recorded.length === 0).length;
  await flush();
  return { jobs: heard };
}

const keysOf = (batch: number) => 1 + (batch % 2);

function jobOf(number: number): Told {
  const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');
  // As ids of jobs are: of the time, then spread.
  const id = `0192f5c2-${hex(number >> 8, 4)}-7000-8000-${hex((number * 2_654_435_761) % 2 ** 40, 12)}`;
  const batches = BATCHES[number % BATCHES.length] ?? 1;
  const story = new Story(id, Date.parse('2026-11-01T10:00:00.000Z') + number * 1000, `tenant-${number % 50}`);
  story.requested().started(batches * 500);
  for (let batch = 1; batch <= batches + 2; batch++) {
    if (batch <= batches) story.batch(500, keysOf(batch));
    // The storage-cleaner is two batches behind.
    if (batch > 2 && batch % 50 === 0) story.purgeDelayed(batch - 2, [[0, 0]], 30);
    if (batch > 2) story.purged(batch - 2, [[0, keysOf(batch - 2) - 1]]);
  }
  story.finished().recordsVerified().objectsChecked();
  return { id, messages: story.events.map(compact), recorded: [] };
}
