import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { MAINTENANCE_EXCHANGE, parseMessage } from '@expunge/contracts';
import { createVhost, type Vhost } from '@expunge/local-stack';
import { compact } from '../src/ledger/compact.js';
import { JobRepository } from '../src/projection/job.repository.js';
import { Projector } from '../src/projection/projector.service.js';
import { openTestDatabase, type TestDatabase } from './database.js';
import { connectAs, silent, testServer } from './servers.js';
import { Story } from '../src/testing/story.js';
import { JobChanges } from '../src/fold/job-changes.service.js';

let vhost: Vhost;
let monitor: Awaited<ReturnType<typeof connectAs>>;
let database: TestDatabase;

beforeAll(async () => {
  const name = `changes-${randomBytes(6).toString('hex')}`;
  vhost = await createVhost(testServer('RABBITMQ_URL'), testServer('RABBITMQ_MANAGEMENT_URL'), name);
  monitor = await connectAs('monitor', vhost.url);
  database = openTestDatabase('changes');
});

afterAll(async () => {
  await monitor.close();
  await vhost.drop();
  await database.drop();
});

it('asks for verification with the event that accounts for the last object, and says that the job is completed with its answer; each once', async () => {
  const channel = await monitor.broker.openChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, MAINTENANCE_EXCHANGE, 'job.#');
  await channel.bindQueue(queue, MAINTENANCE_EXCHANGE, 'delete.#');
  const changes = new JobChanges(monitor.publisher, silent);
  const projector = new Projector(new JobRepository(database.db), (folded) => changes.changed(folded));
  const story = new Story()
    .requested()
    .started()
    .batch(3, 2)
    .purged(1, [[0, 0]])
    .finished()
    .purged(1, [[1, 1]])
    .recordsVerified()
    .objectsChecked();
  const events = story.events.map((message, i) => ({ position: i + 1, message: compact(message) }));
  const said = async () => {
    const delivery = await channel.get(queue, { noAck: true });
    if (!delivery) return null;
    const parsed = parseMessage(delivery.content);
    return parsed.ok ? parsed.message : parsed.reason;
  };

  for (const event of events.slice(0, 5)) await projector.fold('job-1', event);
  expect(await said()).toBeNull();
  for (const event of [events[5]!, ...events.slice(0, 7)]) await projector.fold('job-1', event);
  expect(await said()).toMatchObject({ type: 'VerificationRequested', data: { finished: 3 } });
  expect(await said()).toBeNull();
  for (const event of [events[7]!, ...events]) await projector.fold('job-1', event);
  expect(await said()).toMatchObject({
    type: 'JobCompleted',
    data: { outcome: 'completed', totals: story.totals, objects: { purged: 2, failed: 0 }, finished: 3 },
  });
  expect(await said()).toBeNull();
});
