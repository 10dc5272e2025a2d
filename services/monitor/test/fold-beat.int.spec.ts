import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, it, jest } from '@jest/globals';
import { createVhost, until, type Vhost } from '@expunge/local-stack';
import { openStore, type Store } from '@expunge/runtime';
import { type MonitorApp, startMonitor } from './monitor-app.js';
import { silent, testServer } from './servers.js';

jest.setTimeout(60_000);

const databasePrefix = `beat${randomBytes(6).toString('hex')}-`;
let vhost: Vhost;
let store: Store;

beforeAll(async () => {
  const name = `beat-${randomBytes(6).toString('hex')}`;
  vhost = await createVhost(testServer('RABBITMQ_URL'), testServer('RABBITMQ_MANAGEMENT_URL'), name);
  store = openStore(testServer('MONGODB_URL'), 'test', silent);
});

afterAll(async () => {
  await store.db(`${databasePrefix}monitor`).dropDatabase();
  await store.close();
  await vhost.drop();
});

it('shows which instance folds, and the next one when that left, though no event ever arrives', async () => {
  const start = () => startMonitor({ rabbitmq: vhost.url, mongodb: testServer('MONGODB_URL'), databasePrefix });
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
