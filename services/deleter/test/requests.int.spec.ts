import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { EventsWanted } from '@expunge/contracts';
import { Activity } from '@expunge/runtime';
import { RequestsConsumer } from '../src/requests.consumer.js';
import { deleteRequested, fill, runToEnd, World } from './deleters.js';

let world: World;
beforeAll(async () => {
  world = await World.create();
  await world.reset();
}, 30_000);
afterAll(() => world.destroy());

it('publishes events again that are wanted, unless nobody waits for the answer any more', async () => {
  await fill(world.db, 3);
  const deleter = world.deleter('d1');
  await deleter.requests.accept(deleteRequested('job'));
  await runToEnd(deleter, 'job');
  await world.published();
  const consumer = new RequestsConsumer(
    deleter.requests,
    deleter.control,
    deleter.events,
    deleter.failedPurges,
    deleter.verification,
    deleter.expiry,
    world.publisher,
    new Activity(),
  );
  const answered = async (data: EventsWanted['data']) => {
    const time = new Date().toISOString();
    const fields = { id: 'wanted', source: 'urn:expunge:monitor', subject: 'job', time };
    await consumer.onRequest(EventsWanted.create({ ...fields, data }));
    return (await world.published()).events.map(({ sequence }) => sequence);
  };
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
  expect(await answered({ after: 2 })).toEqual([3, 4]);
  expect(await answered({ batches: [[1, 1]], validUntil: inSeconds(60) })).toEqual([2]);
  expect(await answered({ after: 0, validUntil: inSeconds(-1) })).toEqual([]);
});
