import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compact } from '../src/ledger/compact.js';
import { evolve } from '../src/projection/evolve.js';
import type { JobProjection } from '../src/projection/job.js';
import { JobRepository, perhapsDeleting } from '../src/projection/job.repository.js';
import { Story } from '../src/testing/story.js';
import { openTestDatabase, type TestDatabase } from './database.js';

const started = (job: string) => new Story(job).requested().started(100);
const waiting = (job: string) => new Story(job).requested().confirmationAwaited(100, 10);

/** In the order of their ids. */
const told: [id: string, tell: (id: string) => Story, mayDelete: boolean][] = [
  ['cancelled-retried', (id) => started(id).cancelRequested('c').cancelled('c').retryRequested('r'), false],
  [
    'cancelling-resumed',
    (id) => started(id).pauseRequested('p').paused('p').resumeRequested('r').cancelRequested('c'),
    false,
  ],
  ['confirmed', (id) => waiting(id).confirmRequested('c').confirmed('c'), true],
  ['failed', (id) => started(id).failed(), false],
  ['failed-retried', (id) => started(id).failed().retryRequested('r'), true],
  ['paused', (id) => started(id).pauseRequested('p').paused('p'), false],
  [
    'paused-resume-refused',
    (id) =>
      started(id).pauseRequested('p').paused('p').resumeRequested('r').refused('r', 'ResumeRequested', 'superseded'),
    false,
  ],
  ['paused-resumed', (id) => started(id).pauseRequested('p').paused('p').resumeRequested('r'), true],
  ['pausing', (id) => started(id).pauseRequested('p'), false],
  ['pausing-resumed', (id) => started(id).pauseRequested('p').resumeRequested('r'), true],
  ['purging', (id) => started(id).batch(10, 4).finished(), false],
  ['purging-retried', (id) => started(id).batch(10, 4).finished().retryRequested('r'), true],
  ['queued', (id) => new Story(id).requested(), true],
  ['running', started, true],
  ['running-again', (id) => started(id).pauseRequested('p').paused('p').resumeRequested('r').resumed('r'), true],
  ['unconfirmed', waiting, false],
  ['unconfirmed-confirmed', (id) => waiting(id).confirmRequested('c'), true],
];

let database: TestDatabase;
let jobs: JobRepository;

beforeAll(async () => {
  database = openTestDatabase('active');
  jobs = new JobRepository(database.db);
  await jobs.createIndexes();
  for (const [id, tell] of told) {
    const events = tell(id).events.map((message, i) => ({ position: i + 1, message: compact(message) }));
    const job = events.reduce<JobProjection | null>(evolve, null);
    if (job) await jobs.write(job, null);
  }
});

afterAll(() => database.drop());

async function active(limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const { jobs: page, next } = await jobs.active(after, limit);
    found.push(...page.map(({ id }) => id));
    after = next;
  }
  return found;
}

describe('the jobs that may still delete a record', () => {
  it.each([1, 2, 1000])(
    'are those under way, and those that were asked to go on and have not answered: %i a page',
    async (limit) => {
      expect(await active(limit)).toEqual(told.filter(([, , mayDelete]) => mayDelete).map(([id]) => id));
    },
  );

  it('are found among those that are not settled, in the order of the index', async () => {
    const { executionStats } = (await database.db
      .collection('jobs')
      .find(perhapsDeleting('') as object)
      .sort({ _id: 1 })
      .explain('executionStats')) as { executionStats: { executionStages: object } };
    const stages = JSON.stringify(executionStats.executionStages);
    expect(stages).toContain('settled_1__id_1');
    expect(stages).not.toContain('"SORT"');
  });
});

it('those that are known are told from those that are not', async () => {
  expect(await jobs.known(['paused', 'never-heard-of', 'running'])).toEqual(
    expect.arrayContaining(['paused', 'running']),
  );
  expect(await jobs.known(['never-heard-of'])).toEqual([]);
});
