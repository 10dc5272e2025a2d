import { type AnyMessage, MAINTENANCE_EXCHANGE, workQueues, WorkerHeartbeat } from '@expunge/contracts';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FaultyWire } from './faulty-wire.js';
import { eventsWanted } from './sample-messages.js';
import { TestBed } from './test-bed.js';
import { until } from './until.js';
import { Heartbeat, type HeartbeatSnapshot, type Identity, sayLastWords } from '../src/index.js';

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
    lastError: { code: 'OVERCOME', message: 'long ago', at: '2026-11-23T11:00:00.000Z' },
    sequences: { 'job-1': 4 },
    missingIndexes: null,
    problems: {},
    inHand: { 'deleter.jobs': 2 },
    untouchedMs: { 'deleter.jobs': 40 },
  });

  it('says who, in which state and doing what, and when it is told to stop, that it does, for no error', async () => {
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
    const numbers = of('alive').map(({ data }) => data.number ?? 0);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(WorkerHeartbeat.schema.parse(last).data).toEqual({
      service: 'tested',
      instance: 'alive',
      host: 'here',
      version: '1.2.3',
      pid: process.pid,
      startedAt: '1970-01-01T00:00:00.000Z',
      state: 'exiting',
      ...snapshot(),
      ready: false,
      lastError: null,
      exit: { code: 0, reason: 'stopped' },
      number: numbers.at(-1),
    });
    expect(of('alive').filter(({ data }) => data.exit)).toEqual([last]);
    expect(of('alive')[0]?.data.lastError).toEqual(snapshot().lastError);
    expect(new Set(of('alive').map(({ id }) => id)).size).toBe(of('alive').length);
  });

  it('says a change at once, and nothing more once it is silent', async () => {
    const { broker, logger: log } = await bed.connect({ instance: 'changing' });
    const heartbeat = new Heartbeat({ broker, log, snapshot, everyMs: 3_600_000 });
    heartbeat.start();
    await until('it is heard', () => of('changing').length === 1);
    heartbeat.changed();
    await until('it is heard again', () => of('changing').length === 2);
    heartbeat.silence();
    heartbeat.changed();
    heartbeat.enter('running');
    await heartbeat.stop();
    const { broker: later, logger } = await bed.connect({ instance: 'later' });
    const another = new Heartbeat({ broker: later, log: logger, snapshot });
    another.start();
    await until('what came later is heard', () => of('later').length === 1);
    await another.stop();
    expect(of('changing')).toHaveLength(2);
  });

  it('that is on its way when it falls silent is not said', async () => {
    const { broker, logger: log } = await bed.connect({ instance: 'cut-short' });
    const heartbeat = new Heartbeat({ broker, log, snapshot });
    heartbeat.start();
    heartbeat.silence();
    // Its channel was asked for first, on the same connection.
    await (await broker.openChannel()).close();
    await sayLastWords({ url: bed.url, identity: broker.identity, code: 1, error: { code: 'A', message: 'b' } });
    await until('the last words are heard', () => of('cut-short').length >= 1);
    expect(of('cut-short').map(({ data }) => data.state)).toEqual(['exiting']);
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
    expect(log.filter(({ msg }) => msg === 'not said')).toMatchObject([{ err: { type: 'IllegalOperationError' } }]);
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
    await until('a snapshot fails', () => log.some(({ msg }) => msg === 'not said'));
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

describe('last words', () => {
  const identity: Identity = {
    service: 'tested',
    instance: 'dying',
    host: 'here',
    version: '1',
    startedAt: new Date(0),
  };
  const error = { code: 'START_FAILED', message: 'no such module' };
  let bed: TestBed;
  beforeAll(async () => {
    bed = await TestBed.open();
  });
  afterAll(() => bed.close());

  it('need no connection that is there, and tell the error, and what was being done', async () => {
    const heard: AnyMessage[] = [];
    await bed.start([[{ transient: 'monitorHeartbeats' }, (message) => void heard.push(message)]]);
    const doing = { what: 'slice', job: 'job-1', since: '2026-11-23T12:00:00.000Z' };
    const snapshot = { ready: true, consumes: [], doing, lastError: null, sequences: {}, missingIndexes: null };
    expect(await sayLastWords({ url: bed.url, identity, code: 78, error })).toBe(true);
    expect(await sayLastWords({ url: bed.url, identity, code: 1, error, snapshot })).toBe(true);
    await until('both are heard', () => heard.length === 2);
    expect(heard.map(({ id }) => id)).toEqual(Array(2).fill('dying:heartbeat:0:last-words'));
    const told = { state: 'exiting', ready: false, lastError: { ...error, at: heard[0]?.time } };
    expect(heard.map(({ data }) => data)).toMatchObject([
      { ...told, doing: null, exit: { code: 78, reason: 'fatal' } },
      { state: 'exiting', ready: false, lastError: error, doing, exit: { code: 1, reason: 'fatal' } },
    ]);
    expect(WorkerHeartbeat.schema.safeParse(heard[1]).success).toBe(true);
  });

  it('end in time, whatever the broker does', async () => {
    const wire = await FaultyWire.before(bed.url);
    const words = { url: wire.through(bed.url), identity, code: 1, error, withinMs: 1_000 };
    wire.hold();
    const since = Date.now();
    const silent = await sayLastWords(words);
    const tookMs = Date.now() - since;
    await wire.close();
    expect([silent, await sayLastWords(words)]).toEqual([false, false]);
    expect(tookMs).toBeLessThan(5_000);
    const url = new URL(bed.url);
    url.password = 'wrong';
    expect(await sayLastWords({ ...words, url: url.href })).toBe(false);
  });

  it('are no error where nobody has declared the exchange', async () => {
    await bed.do((channel) => channel.deleteExchange(MAINTENANCE_EXCHANGE));
    expect(await sayLastWords({ url: bed.url, identity, code: 1, error })).toBe(false);
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
    expect(log.filter(({ msg }) => msg === 'not said')).toEqual([]);
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
