import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from './database.js';
import { worker } from '../src/testing/situation.js';
import { WorkerRepository } from '../src/workers/worker.repository.js';

let database: TestDatabase;
let workers: WorkerRepository;

beforeEach(() => {
  database = openTestDatabase('workers');
  workers = new WorkerRepository(database.db);
});

afterEach(() => database.drop());

const { beat: running } = worker('deleter', 0);
const failed = { ...running, state: 'exiting', exit: { code: 1, reason: 'fatal' } } as const;
const stopped = { ...running, state: 'exiting', exit: { code: 0, reason: 'stopped' } } as const;

const aged = (ms: number) =>
  database.db.collection('workers').updateMany({}, [{ $set: { receivedAt: { $subtract: ['$$NOW', ms] } } }]);

describe('the instances heard of', () => {
  it('keeps the last words of a failure after the instance was started again', async () => {
    await workers.heard(failed);
    await workers.heard({ ...running, pid: 8 });
    const [known] = await workers.all(10_000);
    expect(known).toMatchObject({ beat: { state: 'running', pid: 8 }, end: { beat: failed } });
    expect(known?.end?.ageMs).toBeGreaterThanOrEqual(known?.ageMs ?? Infinity);
  });

  it('takes no heartbeat of a process for news after a later one, or after its last words', async () => {
    const draining = { ...running, state: 'draining', number: 8 } as const;
    const states = async () => (await workers.all(10_000)).map(({ beat: { state } }) => state);
    await workers.heard(draining);
    await workers.heard({ ...running, number: 7 });
    expect(await states()).toEqual(['draining']);
    await workers.heard({ ...stopped, number: 9 });
    await workers.heard(draining);
    expect(await states()).toEqual(['exiting']);
    // Another process under its name.
    await workers.heard({ ...running, number: 1, pid: 8 });
    expect(await states()).toEqual(['running']);
  });

  it('is made no younger by what it said long ago', async () => {
    await workers.heard({ ...running, number: 8 });
    await aged(9_000);
    await workers.heard({ ...running, number: 7 });
    const [known] = await workers.all(60_000);
    expect(known?.ageMs).toBeGreaterThanOrEqual(9_000);
  });

  it('takes a stop for no failure', async () => {
    await workers.heard(stopped);
    expect(await workers.all(10_000)).toMatchObject([{ beat: { exit: { reason: 'stopped' } }, end: null }]);
  });

  it('tells the freshest first, and none that is silent for longer than asked', async () => {
    await workers.heard(running);
    await aged(5_000);
    await workers.heard({ ...running, instance: 'deleter-2' });
    await workers.heard(worker('api', 0).beat);
    const names = async (maxAgeMs: number) =>
      (await workers.of('deleter', maxAgeMs)).map(({ beat: { instance } }) => instance);
    expect(await names(10_000)).toEqual(['deleter-2', 'deleter-1']);
    expect(await names(4_000)).toEqual(['deleter-2']);
  });
});
