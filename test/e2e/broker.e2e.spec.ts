import { MAINTENANCE_EXCHANGE, workQueues } from '@expunge/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  atBroker,
  closeConnection,
  connections,
  deleteQueues,
  rabbitmqctl,
  removeBindings,
} from '../support/broker.js';
import { expectCompleted, runningJob } from '../support/running-job.js';
import { seen } from '../support/seen.js';
import { System } from '../support/system.js';

let system: System;
beforeAll(async () => {
  system = await System.start();
}, 120_000);
afterAll(() => system.stop(), 60_000);

/** At so many a second it outlasts any of these faults, until the rate is lifted. */
const RECORDS = 300;
const RATE = 10;

describe('a job completes with exact counts, each event once, after', () => {
  it('every connection was closed by the broker', async () => {
    const job = await runningJob(system, RECORDS, RATE);
    // Named as ours are; the broker tells of a new one some seconds late.
    const ours = await seen('the connections of the services', async () => {
      const names = (await connections(system)).filter((one) => one.user_provided_name?.includes('@'));
      return names.length === system.services.all.length && names;
    });
    for (const { name } of ours) await closeConnection(system, name);
    await expectCompleted(system, job);
  });

  it('the exchange was deleted, for which the broker closes the channels of its publishers', async () => {
    const job = await runningJob(system, RECORDS, RATE);
    await atBroker(system, (channel) => channel.deleteExchange(MAINTENANCE_EXCHANGE));
    await expectCompleted(system, job);
  });

  it('all bindings were removed, so that no queue takes what is published', async () => {
    const job = await runningJob(system, RECORDS, RATE);
    await removeBindings(system);
    await expectCompleted(system, job);
  });

  it('the queues of the deleter and the monitor were deleted under their consumers, with what stood in them', async () => {
    const job = await runningJob(system, RECORDS, RATE);
    await deleteQueues(system, (queue) => queue !== workQueues.storageCleanerBatches.name);
    await expectCompleted(system, job);
  });

  it('an alarm of its memory, during which no request is accepted that would be lost', async () => {
    const job = await runningJob(system, RECORDS, RATE);
    await rabbitmqctl(system, 'set_vm_memory_high_watermark', 'absolute', '1');
    try {
      const other = system.newTenant();
      const refused = system.request(other, { selection: { all: true } });
      await expect(refused).rejects.toThrow(/answered 503.*(not-accepted|outcome-unknown)/);
    } finally {
      await rabbitmqctl(system, 'set_vm_memory_high_watermark', '0.4');
    }
    await expectCompleted(system, job);
  });
});
