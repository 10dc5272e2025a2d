import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Appender } from '../src/ledger/appender.service.js';
import { compact } from '../src/ledger/compact.js';
import { LedgerRepository } from '../src/ledger/ledger.repository.js';
import { openTestDatabase, type TestDatabase } from './database.js';
import { Story } from '../src/testing/story.js';
import { evolve } from '../src/projection/evolve.js';
import type { JobProjection } from '../src/projection/job.js';
import { JobRepository } from '../src/projection/job.repository.js';
import { Projector } from '../src/projection/projector.service.js';
import type { Recorded } from '../src/projection/recorded.js';

let database: TestDatabase;
let jobs: JobRepository;

beforeEach(async () => {
  database = openTestDatabase('projection');
  jobs = new JobRepository(database.db);
  await jobs.createIndexes();
});

afterEach(() => database.drop());

function history(job: string, batches: number): Recorded[] {
  const story = new Story(job).requested().started(batches * 10);
  for (let i = 1; i <= batches; i++) {
    story.batch(10, 4, { retained: [`shared-${i}`] });
    story.purged(i, [[0, 1]]).purged(i, [[2, 3]]);
  }
  return story.finished().events.map((message, i) => ({ position: i + 1, message: compact(message) }));
}

const folded = (events: Recorded[]) => events.reduce<JobProjection | null>(evolve, null);

describe('Projector', () => {
  it('stores exactly what the fold gives', async () => {
    const events = history('job-1', 5);
    const projector = new Projector(jobs);
    for (const event of events) await projector.fold('job-1', event);
    expect((await jobs.read('job-1'))?.job).toEqual(folded(events));
  });

  it('folds what waits for one job in few writes', async () => {
    const events = history('job-1', 60);
    const projector = new Projector(jobs);
    await Promise.all(events.map((event) => projector.fold('job-1', event)));
    const stored = await jobs.read('job-1');
    expect(stored?.job).toEqual(folded(events));
    expect(stored?.revision).toBeLessThan(5);
  });

  it('loses nothing when two instances fold one job at once', async () => {
    const events = history('job-1', 40);
    const [first, second] = [new Projector(jobs), new Projector(jobs)];
    await Promise.all(events.map((event, i) => (i % 2 ? first : second).fold('job-1', event)));
    expect((await jobs.read('job-1'))?.job).toEqual(folded(events));
  });

  it('writes nothing for an event that was folded before', async () => {
    const events = history('job-1', 3);
    const projector = new Projector(jobs);
    for (const event of events) await projector.fold('job-1', event);
    const { revision } = (await jobs.read('job-1'))!;
    for (const event of events) await projector.fold('job-1', event);
    expect((await jobs.read('job-1'))?.revision).toBe(revision);
  });

  it('goes on from what another instance wrote since its own last write', async () => {
    const events = history('job-1', 10);
    const [first, second] = [new Projector(jobs), new Projector(jobs)];
    for (const [i, event] of events.entries()) await (i % 3 === 0 ? first : second).fold('job-1', event);
    expect((await jobs.read('job-1'))?.job).toEqual(folded(events));
  });

  it.each([
    ['again', (events: Recorded[]) => events[3]!],
    ['for the first time', (events: Recorded[]) => events[4]!],
  ])('says of an event that it hears %s of a job just removed that the job is gone', async (_, late) => {
    const events = history('job-1', 2);
    const projector = new Projector(jobs);
    for (const event of events.slice(0, 4)) await projector.fold('job-1', event);
    await jobs.noteRemoved('job-1', '2999-01-01T00:00:00.000Z');
    await jobs.remove('job-1');
    expect(await projector.fold('job-1', late(events))).toBe(false);
    expect(await jobs.read('job-1')).toBeNull();
  });

  it('goes on with a job after a fold of it failed', async () => {
    const events = history('job-1', 2);
    let broken = true;
    const projector = new Projector(jobs, () => (broken ? Promise.reject(new Error('cut here')) : Promise.resolve()));
    await expect(projector.fold('job-1', events[0]!)).rejects.toThrow('cut here');
    broken = false;
    await Promise.all(events.map((event) => projector.fold('job-1', event)));
    expect((await jobs.read('job-1'))?.job).toEqual(folded(events));
  });

  it('fails an event that cannot be folded alone, and folds what waited with it', async () => {
    const events = history('job-1', 30);
    const poison = (at: number): Recorded => ({ ...events[at]!, message: { ...events[at]!.message, time: 'no time' } });
    const delivered = events.map((event, i) => (i === 7 || i === 40 ? poison(i) : event));
    const projector = new Projector(jobs);
    const folds = await Promise.allSettled(delivered.map((event) => projector.fold('job-1', event)));
    expect(folds.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([7, 40]);
    const healthy = events.filter((_, i) => i !== 7 && i !== 40);
    expect((await jobs.read('job-1'))?.job).toEqual(folded(healthy));
  });
});

describe('a monitor that dies', () => {
  const messages = history('job-1', 2).map(({ message }) => message);

  it.each(['before the append', 'between append and fold', 'between fold and acknowledgement'])(
    '%s folds every event once it is redelivered',
    async (cut) => {
      const ledger = new LedgerRepository(database.db);
      await ledger.createIndexes();
      for (const message of messages) {
        // The one that dies: what it held in memory is gone, what it wrote stands.
        if (cut !== 'before the append') {
          const recorded = await new Appender(ledger).append(message);
          if (cut === 'between fold and acknowledgement') await new Projector(jobs).fold('job-1', recorded);
        }
        const recorded = await new Appender(ledger).append(message);
        await new Projector(jobs).fold('job-1', recorded);
      }
      const events = messages.map((message, i) => ({ position: i + 1, message }));
      expect((await jobs.read('job-1'))?.job).toEqual(folded(events));
      expect(await ledger.lastPosition()).toBe(messages.length);
    },
  );
});

describe('pages of jobs', () => {
  it('show each job once while others come in', async () => {
    const projector = new Projector(jobs);
    const request = (name: string, start: number) => {
      const [message] = new Story(name, start).requested().events;
      return projector.fold(name, { position: 1, message: compact(message!) });
    };
    const noon = Date.parse('2026-11-01T12:00:00Z');
    // Pairs at the same instant: the id decides between them.
    for (let i = 0; i < 20; i++) await request(`old-${String(i).padStart(2, '0')}`, noon + Math.floor(i / 2) * 1000);
    const seen: string[] = [];
    let before: { listedAt: string; id: string } | null = null;
    for (let page = 0; page < 10; page++) {
      const found: JobProjection[] = await jobs.page({
        tenant: 'tenant-1',
        statuses: ['queued'],
        resource: 'receipts',
        before,
        limit: 3,
      });
      seen.push(...found.map(({ id }) => id).filter((id) => id.startsWith('old-')));
      const last = found.at(-1);
      if (!last) break;
      before = { listedAt: last.listedAt, id: last.id };
      await request(`new-${page}`, noon + 3_600_000 + page);
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => `old-${String(19 - i).padStart(2, '0')}`));
  });
});
