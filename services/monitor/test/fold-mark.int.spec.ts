import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from './database.js';
import { FoldMarkRepository } from '../src/fold/fold-mark.repository.js';

let database: TestDatabase;
let marks: FoldMarkRepository;

beforeEach(() => {
  database = openTestDatabase('fold');
  marks = new FoldMarkRepository(database.db);
});

afterEach(() => database.drop());

const aged = (ms: number) =>
  database.db
    .collection<{ _id: string }>('fold')
    .updateOne({ _id: 'fold' }, [{ $set: { beatAt: { $subtract: ['$$NOW', ms] } } }]);

describe('the mark of the fold', () => {
  it('knows nothing before the first beat', async () => {
    expect(await marks.asOf()).toEqual({ position: 0, at: null, lagMs: null, monitorHeartbeatAgeMs: null });
  });

  it('never goes back, and keeps the time at which it last went on', async () => {
    await marks.takeOver({ instance: 'a', position: 7, lagMs: 0 });
    const before = await marks.asOf();
    await marks.takeOver({ instance: 'b', position: 3, lagMs: 0 });
    expect(await marks.asOf()).toMatchObject({ position: 7, at: before.at, lagMs: 0 });
  });

  it('is kept fresh only by the instance that folds', async () => {
    await marks.takeOver({ instance: 'a', position: 1, lagMs: 0 });
    await aged(60_000);
    expect(await marks.beat({ instance: 'b', position: 1, lagMs: 0 })).toBe(false);
    const { monitorHeartbeatAgeMs: age, lagMs } = await marks.asOf();
    expect(age).toBeGreaterThanOrEqual(60_000);
    expect(lagMs).toBeNull();
    expect(await marks.beat({ instance: 'a', position: 1, lagMs: 0 })).toBe(true);
    expect((await marks.asOf()).monitorHeartbeatAgeMs).toBeLessThan(10_000);
  });

  it('tells no lag that the folding instance does not know', async () => {
    await marks.takeOver({ instance: 'a', position: 1, lagMs: null });
    expect((await marks.asOf()).lagMs).toBeNull();
  });

  it('lets the lag grow while a frozen instance holds a delivery', async () => {
    await marks.takeOver({ instance: 'a', position: 1, lagMs: 400 });
    await aged(9000);
    expect((await marks.asOf()).lagMs).toBeGreaterThanOrEqual(9400);
  });
});
