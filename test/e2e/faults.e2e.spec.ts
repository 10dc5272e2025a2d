import type { Supervised } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import { workQueues, MAINTENANCE_EXCHANGE } from '@expunge/contracts';
import { expectAllGone, jobUnderWay } from '../support/job-under-way.js';
import { System } from '../support/system.js';

let system: System;
beforeAll(async () => {
  system = await System.start();
}, 120_000);
afterAll(() => system.stop(), 60_000);

const RECORDS = 450;

const service = (name: 'api' | 'deleter' | 'storage-cleaner' | 'monitor') => (): Supervised =>
  system.services.of(name)[0]!.process;
const given = (server: Supervised | null): Supervised => {
  if (!server) throw new Error('this fault needs a server of the local stack');
  return server;
};
const services: [string, () => Supervised][] = [
  ['api', service('api')],
  ['deleter', service('deleter')],
  ['storage-cleaner', service('storage-cleaner')],
  ['monitor', service('monitor')],
];
const servers: [string, () => Supervised][] = [
  ['broker', () => given(system.stack.rabbitmq.server)],
  ['database engine', () => given(system.stack.mongodb.server)],
  ['bucket server', () => given(system.stack.s3.server)],
];

/** The death itself, not only the signal: a new process has the role. */
async function another(victim: Supervised, before: number): Promise<void> {
  const end = Date.now() + 60_000;
  while (victim.pid === before || !victim.running) {
    if (Date.now() > end) throw new Error(`${victim.name} did not come back`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('a job completes with exact counts and no orphan', () => {
  it.each([...services, ...servers])('after SIGKILL of the %s', async (_, victim) => {
    const job = await jobUnderWay(system, RECORDS);
    const { pid } = victim();
    victim().kill('SIGKILL');
    await another(victim(), pid);
    await expectAllGone(system, job);
  });

  it.each(services)('after SIGTERM of the %s, which drains', async (_, victim) => {
    const job = await jobUnderWay(system, RECORDS);
    const { pid } = victim();
    victim().kill('SIGTERM');
    await another(victim(), pid);
    await expectAllGone(system, job);
  });

  it('after the bindings of its request were lost, though only the monitor was told of it', async () => {
    const tenant = system.newTenant();
    await system.fill(tenant, 10, 1);
    const connection = await connect(system.stack.rabbitmq.url);
    const channel = await connection.createChannel();
    for (const key of workQueues.deleterJobs.bindings) {
      await channel.unbindQueue(workQueues.deleterJobs.name, MAINTENANCE_EXCHANGE, key);
    }
    const id = await system.request(tenant, { selection: { all: true } });
    await channel.close();
    await connection.close();
    const job = await system.untilEnded(tenant, id);
    expect(job).toMatchObject({ status: 'completed', progress: { succeeded: 10, objects: { purged: 10 } } });
    expect(await system.left(tenant)).toEqual({ ids: [], keys: [] });
  });
});
