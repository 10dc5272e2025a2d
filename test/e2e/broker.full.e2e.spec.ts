import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { workQueues } from '@expunge/contracts';
import { until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { atBroker, brokerServer, rabbitmqctl } from '../support/broker.js';
import { asTenant, expectCompleted, expectDone, runningJob } from '../support/running-job.js';
import { seen } from '../support/seen.js';
import { System } from '../support/system.js';

const RECORDS = 400;
const RATE = 10;
const SLICES = workQueues.deleterSlices.name;

let system: System;
beforeAll(async () => {
  system = await System.start();
}, 120_000);
afterAll(() => system.stop(), 60_000);

async function anotherBroker(before: number): Promise<void> {
  const server = brokerServer(system);
  const answers = () => atBroker(system, () => Promise.resolve(true)).catch(() => false);
  await until('another broker', async () => server.running && server.pid !== before && (await answers()), 120_000);
}

describe('a job completes with exact counts, each event once, after', () => {
  it('the broker was told to end and came back', async () => {
    const job = await runningJob(system, RECORDS, RATE);
    const server = brokerServer(system);
    const { pid } = server;
    server.kill('SIGTERM');
    await anotherBroker(pid);
    await expectCompleted(system, job);
  }, 300_000);

  it('the broker lost all its data, also when nobody had read the request', async () => {
    const job = await runningJob(system, RECORDS, RATE);
    const workers = [...system.services.of('deleter'), ...system.services.of('monitor')];
    for (const { process } of workers) process.freeze();
    const id = system.newTenant();
    const planned = await system.fill(id, 50, 1);
    const unread = asTenant(id, await system.request(id, { selection: { all: true } }), planned);
    await atBroker(system, (channel) => channel.assertQueue('witness', { durable: true }));
    const server = brokerServer(system);
    const { pid } = server;
    const data = join(system.stack.run.directory, 'rabbitmq', 'mnesia');
    expect(existsSync(data)).toBe(true);
    server.kill('SIGKILL');
    await until('its end', () => !server.running, 10_000);
    // It is started again half a second later at the soonest.
    rmSync(data, { recursive: true });
    await anotherBroker(pid);
    const witness = atBroker(system, (channel) => channel.checkQueue('witness'));
    for (const { process } of workers) process.thaw();
    await expect(witness).rejects.toThrow('NOT_FOUND');
    await expectDone(system, unread, 240_000);
    await expectCompleted(system, job, 240_000);
  }, 600_000);

  it('its slice ended with its consumer each time, until the broker parked it', async () => {
    const job = await runningJob(system, RECORDS, RATE);
    const database = system.stack.mongodb.server;
    if (!database) throw new Error('this fault needs a database of the local stack');
    // Whoever is given a slice now holds it without an answer, and has not started it.
    database.freeze();
    const ofJob = async () => (await system.parked())[SLICES]!.messages.find((message) => message.job === job.job);
    await rabbitmqctl(system, 'eval', endAgainAndAgain('deleter@deleter-1', SLICES));
    const parked = await seen('the slice is parked', ofJob, 240_000).finally(async () => {
      await rabbitmqctl(system, 'eval', 'exit(whereis(tested), kill).');
      database.thaw();
    });
    expect(parked).toMatchObject({ type: 'SliceDue', reason: 'dead-lettered by the broker: delivery_limit' });
    await expectCompleted(system, job);
    expect((await system.replay(SLICES, 1000)).replayed).toBeGreaterThanOrEqual(1);
    await until('what is put back is acknowledged', async () => (await system.parked())[SLICES]!.count === 0, 30_000);
    await expectDone(system, job);
  }, 400_000);
});

/**
 * Ends a client's connection by name, a moment after it consumes the queue, again and again. At the broker, in a process
 * of its own: a command takes so long to start that the client would meanwhile put the message into a tier.
 */
function endAgainAndAgain(name: string, queue: string): string {
  return `
    Named = fun(P) ->
      [{client_properties, Ps}] = rabbit_networking:connection_info(P, [client_properties]),
      lists:keymember(<<"${name}">>, 3, Ps)
    end,
    IsConsumed = fun() ->
      {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>)),
      rabbit_amqqueue:consumers(Q) =/= []
    end,
    End = fun(Again) ->
      Ours = [P || P <- rabbit_networking:connections(), (catch Named(P)) =:= true, IsConsumed()],
      timer:sleep(500),
      [catch rabbit_networking:close_connection(P, "tested") || P <- Ours],
      Again(Again)
    end,
    register(tested, spawn(fun() -> End(End) end)).`;
}
