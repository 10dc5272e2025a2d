import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Story } from '../src/testing/story.js';
import { openTestDatabase, type TestDatabase } from './database.js';
import { Appender } from '../src/ledger/appender.service.js';
import { compact } from '../src/ledger/compact.js';
import { LedgerRepository } from '../src/ledger/ledger.repository.js';

let database: TestDatabase;
let ledger: LedgerRepository;

beforeEach(async () => {
  database = openTestDatabase('ledger');
  ledger = new LedgerRepository(database.db);
  await ledger.createIndexes();
});

afterEach(() => database.drop());

const messages = (job: string, batches: number) => {
  const story = new Story(job).requested().started();
  for (let i = 0; i < batches; i++) story.batch(1, 0);
  return story.events.map(compact);
};

describe('Appender', () => {
  it('numbers what arrives at once without gaps, in the order of arrival', async () => {
    const appender = new Appender(ledger);
    const recorded = await Promise.all(messages('job-1', 300).map((message) => appender.append(message)));
    expect(recorded.map(({ position }) => position)).toEqual(Array.from({ length: 302 }, (_, i) => i + 1));
    const stored = await ledger.eventsOf('job-1', 0, 1000);
    expect(stored.map(({ message }) => message)).toEqual(recorded.map(({ message }) => message));
  });

  it('answers a known id with what stands in the ledger, and uses no position for it', async () => {
    const appender = new Appender(ledger);
    const [request, started, batch] = messages('job-1', 1);
    await appender.append(request!);
    const again = await Promise.all([request!, started!, request!, started!, batch!].map((m) => appender.append(m)));
    expect(again.map(({ position }) => position)).toEqual([1, 2, 1, 2, 3]);
    const other = { ...request!, source: 'somebody else' };
    expect(await appender.append(other)).toEqual({ position: 1, message: request });
  });

  it('shares positions with an instance that was the active consumer in between', async () => {
    const [first, second] = [new Appender(ledger), new Appender(ledger)];
    const ours = messages('job-1', 40);
    const theirs = messages('job-2', 40);
    const recorded = await Promise.all([
      ...ours.map((message) => first.append(message)),
      ...theirs.map((message) => second.append(message)),
      ...ours.map((message) => second.append(message)),
    ]);
    const positions = new Set(recorded.map(({ position }) => position));
    expect([...positions].sort((a, b) => a - b)).toEqual(Array.from({ length: 84 }, (_, i) => i + 1));
    expect(await ledger.lastPosition()).toBe(84);
  });

  it('goes on behind an instance that was active while this one was frozen', async () => {
    const [first, second] = [new Appender(ledger), new Appender(ledger)];
    const [request, started, batch] = messages('job-1', 1);
    expect((await first.append(request!)).position).toBe(1);
    expect((await second.append(started!)).position).toBe(2);
    expect((await first.append(batch!)).position).toBe(3);
  });

  it('fails a message that cannot be stored alone, and numbers what came with it without gaps', async () => {
    const appender = new Appender(ledger);
    const ours = messages('job-1', 30);
    const [poison] = new Story('job-2').requested({ filter: { 'null\0byte': 'x' } }).events.map(compact);
    const delivered = [...ours.slice(0, 9), poison!, ...ours.slice(9)];
    const appended = await Promise.allSettled(delivered.map((message) => appender.append(message)));
    expect(appended.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([9]);
    const stored = await ledger.eventsOf('job-1', 0, 100);
    expect(stored.map(({ position, message }) => [position, message])).toEqual(ours.map((m, i) => [i + 1, m]));
  });

  it('keeps long key lists as their number, their hash and the first of them', async () => {
    const story = new Story().batch(500, 2500);
    await new Appender(ledger).append(compact(story.events[0]!));
    const [entry] = await ledger.eventsOf('job-1', 0, 1);
    expect(entry?.message.data).toMatchObject({ objectKeys: { count: 2500, hash: expect.any(String) } });
    expect(JSON.stringify(entry).length).toBeLessThan(5000);
  });

  it('returns the request that made a job as it was sent', async () => {
    const ids = Array.from({ length: 10_000 }, (_, i) => `id-${i}`);
    const [request] = new Story().requested({ ids }).events;
    await new Appender(ledger).append(compact(request!));
    expect(await ledger.deleteRequestOf('job-1')).toEqual(request);
  });
});
