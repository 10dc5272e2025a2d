import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { JobsAnswer } from '@expunge/contracts';
import { createVhost, until, type Vhost } from '@expunge/local-stack';
import { openStore, type Store } from '@expunge/runtime/store';
import { type MonitorApp, startMonitor } from './monitor-app.js';
import { connectAs, silent, testServer } from './servers.js';
import { Story } from '../src/testing/story.js';

jest.setTimeout(60_000);

let databasePrefix: string;
let vhost: Vhost;
let store: Store;

beforeAll(async () => {
  const name = `beat-${randomBytes(6).toString('hex')}`;
  vhost = await createVhost(testServer('RABBITMQ_URL'), testServer('RABBITMQ_MANAGEMENT_URL'), name);
  store = openStore(testServer('MONGODB_URL'), 'test', silent);
});

beforeEach(() => {
  databasePrefix = `beat${randomBytes(6).toString('hex')}-`;
});

afterEach(() => store.db(`${databasePrefix}monitor`).dropDatabase());

afterAll(async () => {
  await store.close();
  await vhost.drop();
});

const start = () => startMonitor({ rabbitmq: vhost.url, mongodb: testServer('MONGODB_URL'), databasePrefix });

it('shows which instance folds, and the next one when that left, though no event ever arrives', async () => {
  const marks = store.db(`${databasePrefix}monitor`).collection<{ _id: string; instance: string }>('fold');
  const folds = (monitor: MonitorApp) => async () =>
    (await marks.findOne({ _id: 'fold' }))?.instance === monitor.identity.instance;
  const active = await start();
  await until('the only one folds', folds(active), 20_000);
  const standby = await start();
  await active.stop();
  await until('the other one folds', folds(standby), 20_000);
  await standby.stop();
});

it('shows no lag of 0 while it cannot fold what stood in its queue before it', async () => {
  const database = store.db(`${databasePrefix}monitor`);
  // A view takes no writes: each append fails, and sends its delivery to a tier.
  await database.createCollection('ledger', { viewOn: 'nothing', pipeline: [] });
  const api = await connectAs('deleter', vhost.url);
  for (let i = 0; i < 100; i++) await api.publisher.publish(new Story(`job-${i}`).requested().events[0]!);
  await api.close();
  const monitor = await start();
  const lags: (number | null)[] = [];
  const asOf = async () => JobsAnswer.parse((await monitor.get('/internal/jobs?tenant=tenant-1')).body).asOf;
  const lag = async () => {
    lags.push((await asOf()).lagMs);
    return lags.at(-1) ?? null;
  };
  try {
    await until('a lag of three seconds', async () => ((await lag()) ?? 0) > 3000, 20_000);
    expect(lags).not.toContain(0);
    await database.dropCollection('ledger');
    await until('no lag', async () => (await lag()) === 0, 40_000);
    expect((await asOf()).position).toBe(100);
  } finally {
    await monitor.stop();
  }
});
