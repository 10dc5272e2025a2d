import { MAINTENANCE_EXCHANGE, workQueues, WorkerHeartbeat } from '@expunge/contracts';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventsWanted } from './sample-messages.js';
import { TestBed } from './test-bed.js';
import { until } from './until.js';
import { Heartbeat, type HeartbeatSnapshot } from '../src/index.js';

jest.setTimeout(30_000);

describe('the heartbeat', () => {
  let bed: TestBed;
  const heard: WorkerHeartbeat[] = [];
  const of = (instance: string) => heard.filter(({ subject }) => subject === instance);
  beforeAll(async () => {
    bed = await TestBed.open();
    await bed.start([[{ transient: 'monitorHeartbeats' }, (message) => void heard.push(message as WorkerHeartbeat)]]);
  });
  afterAll(() => bed.close());

  const snapshot = (): HeartbeatSnapshot => ({
    ready: true,
    consumes: ['deleter.jobs'],
    doing: { what: 'slice', job: 'job-1', since: '2026-11-23T12:00:00.000Z' },
    lastError: null,
    sequences: { 'job-1': 4 },
    missingIndexes: null,
  });

  it('says who, in which state and doing what, and says its last words', async () => {
    const { broker, logger: log } = await bed.connect({ instance: 'alive' });
    const heartbeat = new Heartbeat({ broker, log, snapshot, everyMs: 50 });
    heartbeat.start();
    await until('it starts', () => of('alive').length >= 1);
    heartbeat.enter('running');
    await until('it runs', () => of('alive').filter(({ data }) => data.state === 'running').length >= 2);
    heartbeat.enter('draining');
    await until('it drains', () => of('alive').at(-1)?.data.state === 'draining');
    await heartbeat.stop();
    await broker.close();
    const last = await until('it exits', () => of('alive').find(({ data }) => data.state === 'exiting'));
    expect(of('alive').at(-1)).toBe(last);
    const states = of('alive').map(({ data }) => data.state);
    expect([...new Set(states)]).toEqual(['starting', 'running', 'draining', 'exiting']);
    expect(WorkerHeartbeat.schema.parse(last).data).toEqual({
      service: 'tested',
      instance: 'alive',
      host: 'here',
      version: '1.2.3',
      pid: process.pid,
      startedAt: '1970-01-01T00:00:00.000Z',
      state: 'exiting',
      ...snapshot(),
    });
    expect(new Set(of('alive').map(({ id }) => id)).size).toBe(of('alive').length);
  });

  it('does not wait behind a full window', async () => {
    const { broker, publisher, logger: log, wire } = await bed.connect({ instance: 'busy', window: 1 });
    const heartbeat = new Heartbeat({ broker, log, snapshot, everyMs: 50 });
    heartbeat.start();
    await until('it is heard', () => of('busy').length >= 1);
    wire.deafen();
    const onTheWay = publisher.publish(eventsWanted(1));
    await until('the window is full', () => publisher.onTheWay === 1);
    const before = of('busy').length;
    await until('it goes on', () => of('busy').length >= before + 3);
    expect(publisher.onTheWay).toBe(1);
    wire.release();
    await onTheWay;
    await heartbeat.stop();
  });

  it('goes on after a channel that ended in the read that opened it', async () => {
    const { broker, logger, log, wire } = await bed.connect({ instance: 'hasty' });
    const heartbeat = new Heartbeat({ broker, log: logger, snapshot, everyMs: 50 });
    const [CHANNEL, OPEN_OK] = [20, 11];
    wire.closeRightAfter(CHANNEL, OPEN_OK);
    heartbeat.start();
    await until('it is heard', () => of('hasty').length >= 1);
    expect(log.filter(({ msg }) => msg === 'no heartbeat')).toMatchObject([{ err: { type: 'IllegalOperationError' } }]);
    await heartbeat.stop();
  });

  it('goes on after a cut connection and without an exchange, and never throws', async () => {
    const { broker, logger, log, wire } = await bed.connect({ instance: 'unlucky' });
    let broken = false;
    const heartbeat = new Heartbeat({
      broker,
      log: logger,
      everyMs: 50,
      snapshot: () => {
        if (broken) throw new Error('no snapshot');
        return snapshot();
      },
    });
    heartbeat.start();
    await until('it is heard', () => of('unlucky').length >= 1);
    wire.cut();
    await until('the loss is noticed', () => !broker.connected);
    const afterCut = of('unlucky').length;
    await until('it is heard again', () => of('unlucky').length > afterCut);
    broken = true;
    await until('a snapshot fails', () => log.some(({ msg }) => msg === 'no heartbeat'));
    broken = false;
    await bed.do((channel) => channel.deleteExchange(MAINTENANCE_EXCHANGE));
    await until('its channel is closed', () => log.some(({ msg }) => msg === 'a channel was closed by the broker'));
    await broker.assertTopology();
    const afterLoss = of('unlucky').length;
    // Its queue's bindings went with the exchange, and nobody but its consumer can make them again.
    await until('it is heard again', () => of('unlucky').length > afterLoss);
    await heartbeat.stop();
    await heartbeat.stop();
  });
});

describe('a transient queue', () => {
  let bed: TestBed;
  beforeAll(async () => {
    bed = await TestBed.open();
  });
  afterAll(() => bed.close());

  it('that nobody has made is no error to a heartbeat', async () => {
    const { broker, logger, log } = await bed.connect({ instance: 'alone' });
    const heartbeat = new Heartbeat({ broker, log: logger, snapshot: () => dataOf('alone'), everyMs: 20 });
    heartbeat.start();
    await heartbeat.stop();
    expect(log.filter(({ level }) => level >= 40)).toEqual([]);
    expect(log.filter(({ msg }) => msg === 'no heartbeat')).toEqual([]);
  });

  it('is one for each instance, hears only from now on, and is gone with it', async () => {
    const heard: string[] = [];
    const listen = (instance: string) =>
      bed.start([[{ transient: 'monitorHeartbeats' }, ({ id }) => void heard.push(`${instance} ${id}`)]], { instance });
    const one = await listen('one');
    const two = await listen('two');
    expect(one.strategy.consumed()).toEqual(['monitor.heartbeats.one']);
    const { publisher } = await bed.connect();
    const { source, subject, time } = eventsWanted(1);
    const heartbeat = WorkerHeartbeat.create({ id: 'beat', source, subject, time, data: dataOf('x') });
    await publisher.publish(heartbeat);
    await until('both hear it', () => heard.length === 2);
    expect(heard.sort()).toEqual(['one beat', 'two beat']);
    await one.close();
    await expect(bed.depth('monitor.heartbeats.one')).rejects.toThrow('404');
    await publisher.publish({ ...heartbeat, id: 'second' });
    await until('the other hears it', () => heard.length === 3);
    two.wire.cut();
    await until('it is consumed again', () => two.log.filter(({ msg }) => msg === 'listening').length === 2);
    await publisher.publish({ ...heartbeat, id: 'third' });
    await until('it hears again', () => heard.includes('two third'));
  });

  it('drops what its handler fails on', async () => {
    let handled = 0;
    const { strategy, log } = await bed.start([
      [
        { transient: 'apiProgress' },
        () => {
          handled += 1;
          throw new Error('oops');
        },
      ],
      [workQueues.deleterJobs, () => undefined],
    ]);
    const queue = strategy.consumed().find((name) => name.startsWith('api.progress'))!;
    const { publisher } = await bed.connect();
    await publisher.send(queue, eventsWanted(1));
    await until('it is dropped', () => log.some(({ msg }) => msg === 'dropped'));
    expect(handled).toBe(1);
    expect(log.filter(({ msg }) => msg === 'dropped')).toMatchObject([{ level: 40, queue, reason: 'Error: oops' }]);
  });
});

function dataOf(instance: string): WorkerHeartbeat['data'] {
  return {
    service: 'tested',
    instance,
    host: 'here',
    pid: 1,
    version: '1',
    startedAt: '2026-11-23T12:00:00.000Z',
    state: 'running',
    ready: true,
    consumes: [],
    doing: null,
    lastError: null,
    sequences: {},
    missingIndexes: null,
  };
}
