import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { EventsAnswer, JobAnswer, PauseRequested } from '@expunge/contracts';
import { createVhost, type Vhost } from '@expunge/local-stack';
import { openStore, type Store } from '@expunge/runtime/store';
import { compact } from '../src/ledger/compact.js';
import { entryOf, LedgerRepository } from '../src/ledger/ledger.repository.js';
import { evolveAll } from '../src/projection/evolve.js';
import { JobRepository } from '../src/projection/job.repository.js';
import { jobView } from '../src/reads/job-view.js';
import { Story } from '../src/testing/story.js';
import { type MonitorApp, startMonitor } from './monitor-app.js';
import { silent, testServer } from './servers.js';

jest.setTimeout(60_000);

const HOUR = Date.parse('2026-11-01T03:00:00.000Z');
const at = (minute: number) => new Date(HOUR + minute * 60_000);

/** Happened at ten o'clock, and was heard at three, one event a minute. */
const story = new Story('job-1').requested().started(1000);
for (let batch = 1; batch <= 100; batch++) story.batch(10, 2).purged(batch, [[0, 1]]);
const recorded = story.events.map((message, i) => ({ position: i + 1, message: compact(message) }));

let vhost: Vhost;
let store: Store;
let monitor: MonitorApp;
const databasePrefix = `h${randomBytes(6).toString('hex')}-`;

beforeAll(async () => {
  const name = `history-${randomBytes(6).toString('hex')}`;
  vhost = await createVhost(testServer('RABBITMQ_URL'), testServer('RABBITMQ_MANAGEMENT_URL'), name);
  store = openStore(testServer('MONGODB_URL'), 'test', silent);
  const db = store.db(`${databasePrefix}monitor`);
  const ledger = new LedgerRepository(db);
  await ledger.insertInOrder(recorded.map(({ position, message }, i) => entryOf(message, position, at(i))));
  await new JobRepository(db).write(evolveAll(null, recorded)!, null);
  // Bears the job's id, but is another tenant's: told by mistake, or by somebody who guesses.
  const stray = PauseRequested.create({
    id: 'stray',
    source: 'api',
    subject: 'job-1',
    time: at(0).toISOString(),
    tenantid: 'tenant-2',
    data: { requestedBy: 'eve', reason: 'not yours' },
  });
  await ledger.insertInOrder([entryOf(stray, recorded.length + 1, at(recorded.length))]);
  monitor = await startMonitor({ rabbitmq: vhost.url, mongodb: testServer('MONGODB_URL'), databasePrefix });
});

afterAll(async () => {
  await monitor.stop();
  await store.db(`${databasePrefix}monitor`).dropDatabase();
  await store.close();
  await vhost.drop();
});

const state = (moment: string, tenant = 'tenant-1', job = 'job-1') =>
  monitor.get(`/internal/jobs/${job}/state?tenant=${tenant}&at=${moment}`);

it("a job's state at a moment is the fold of what had been heard by then, stopped there", async () => {
  for (const minute of [0, 1, 12, 150, recorded.length - 1]) {
    const { status, body } = await state(at(minute).toISOString());
    expect(status).toBe(200);
    const told = jobView(evolveAll(null, recorded.slice(0, minute + 1))!, at(minute));
    expect(JobAnswer.parse(body).job).toEqual(JobAnswer.shape.job.parse(told));
  }
});

it('a job was not known before the first of its events was heard, and never to another tenant', async () => {
  expect(await state('2026-11-01T02:59:59.999Z')).toMatchObject({ status: 404, body: { code: 'not-known-then' } });
  for (const [tenant, job] of [
    ['tenant-2', 'job-1'],
    ['tenant-1', 'job-2'],
  ] as const) {
    expect(await state(at(9).toISOString(), tenant, job)).toMatchObject({ status: 404, body: { code: 'not-found' } });
  }
  expect(await state('03:12')).toMatchObject({ status: 400, body: { code: 'invalid' } });
});

it("a job's events are told by position, and none of another tenant among them", async () => {
  const told: EventsAnswer['events'] = [];
  for (let after: number | null = 0; after !== null;) {
    const path = `/internal/jobs/job-1/events?tenant=tenant-1&after=${after}&limit=90`;
    const page = EventsAnswer.parse((await monitor.get(path)).body);
    told.push(...page.events);
    after = page.next;
  }
  // Since it runs the monitor may have told of a verdict: that is an event of the job, too, and comes after the stray.
  expect(told.map(({ id }) => id)).not.toContain('stray');
  const before = told.filter(({ position }) => position <= recorded.length);
  expect(before.map(({ position, id, data }) => ({ position, id, data }))).toEqual(
    recorded.map(({ position, message: { id, data } }) => ({ position, id, data })),
  );
});
