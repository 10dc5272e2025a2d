import { workQueues } from '@expunge/contracts';
import type { Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Collection, MongoClient } from 'mongodb';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { type Acceptance, newAcceptance } from '../src/acceptance/acceptance.js';
import { Bystander } from './broker.js';
import { type RunningApi, startApi } from './running-api.js';
import { FRESH, jobView, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(60_000);

const DAY_MS = 86_400_000;

let vhost: Vhost;
let database: Database;
let bystander: Bystander;
let monitor: StandInMonitor;
let client: MongoClient;
let acceptances: Collection<Acceptance>;
let environment: Record<string, string>;
let api: RunningApi;

beforeAll(async () => {
  [vhost, database, monitor] = await Promise.all([freshVhost(), freshDatabase('api'), standInMonitor()]);
  bystander = new Bystander(vhost.url);
  client = await MongoClient.connect(database.url);
  const prefix = `${unique('pause-all')}-`;
  acceptances = client.db(`${prefix}api`).collection('acceptances');
  const { url: MONITOR_URLS } = monitor;
  environment = { RABBITMQ_URL: vhost.url, MONGODB_URL: database.url, DATABASE_PREFIX: prefix, MONITOR_URLS };
  api = await startApi(environment);
  expect(await api.broker.whenConnected(10_000)).toBe(true);
});

afterAll(async () => {
  await api.stop();
  await Promise.all([bystander.close(), monitor.stop()]);
  await acceptances.db.dropDatabase();
  await client.close();
  await vhost.drop();
});

beforeEach(async () => {
  Object.assign(monitor, { fail: 'no', asked: [] });
  monitor.jobs.clear();
  await acceptances.deleteMany({});
  await bystander.empty();
});

const brake = (of = api) => of.request('POST', '/api/pause-all', { scope: 'ops:write', body: { reason: 'stop' } });

async function accept(id: string, state: Acceptance['state'], acceptedAt = new Date()): Promise<void> {
  const request = {
    resource: 'receipts',
    selection: { all: true as const },
    options: { batchSize: 500 },
    reason: null,
  };
  const acceptance = newAcceptance(id, { tenant: 'acme', requestedBy: 'ann', request }, acceptedAt, 7 * DAY_MS);
  // Later than any sweep of this test.
  const lookAt = new Date(Date.now() + DAY_MS).toISOString();
  await acceptances.insertOne({ ...acceptance, state, lookAt });
}

const askedToPause = async (atLeast: number) =>
  (await bystander.take(workQueues.deleterJobs.name, atLeast)).map(({ subject }) => subject).sort();

describe('after a burst of acceptances', () => {
  test('only those that no monitor knows are asked, and a monitor is asked a few times', async () => {
    const ids = Array.from({ length: 450 }, (_, i) => `burst-${i}`);
    await Promise.all(ids.map((id) => accept(id, 'accepted')));
    const unknown = ['burst-7', 'burst-300'];
    for (const id of ids) {
      if (!unknown.includes(id)) monitor.jobs.set(id, { ...jobView(id, 'acme'), status: 'purging' });
    }
    expect(await brake()).toMatchObject({ status: 202, body: { asked: 2, as_of: { position: FRESH.position } } });
    expect(await askedToPause(2)).toEqual(unknown.toSorted());
    expect(monitor.asked.length).toBeLessThanOrEqual(5);
  });
});

describe('where no monitor answers', () => {
  test.each(['error', 'garbage'] as const)(
    'whatever was accepted and is kept is asked, and it is said that others go on: %s',
    async (fail) => {
      monitor.jobs.set('listed', jobView('listed', 'other'));
      monitor.fail = fail;
      await accept('maybe', 'pending');
      await accept('unheard', 'accepted');
      await accept('heard', 'heard');
      await accept('long-running', 'heard', new Date(Date.now() - 7.5 * DAY_MS));
      await accept('refused', 'refused');
      const { status, body, headers } = await brake();
      expect({ status, ...body }).toMatchObject({
        status: 503,
        code: 'not-all-paused',
        asked: 4,
        not_asked: [],
        not_checked: ['monitor'],
      });
      expect(headers.get('retry-after')).toBe('2');
      expect(await askedToPause(4)).toEqual(['heard', 'long-running', 'maybe', 'unheard']);
    },
  );
});

describe('where the database of acceptances does not answer', () => {
  test('the jobs that monitors list are asked, and it is said that others go on', async () => {
    monitor.jobs.set('listed', jobView('listed', 'other'));
    const away = await startApi({ ...environment, MONGODB_URL: 'mongodb://127.0.0.1:9/?directConnection=true' });
    try {
      expect(await away.broker.whenConnected(10_000)).toBe(true);
      expect(await brake(away)).toMatchObject({
        status: 503,
        body: { code: 'not-all-paused', asked: 1, not_asked: [], not_checked: ['acceptances'] },
      });
      expect(await askedToPause(1)).toEqual(['listed']);
    } finally {
      await away.stop();
    }
  });
});
