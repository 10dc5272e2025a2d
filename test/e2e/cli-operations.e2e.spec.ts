import { SliceDue, sliceId, workQueues } from '@expunge/contracts';
import { until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jobIdOfKey } from '../../services/api/src/acceptance/acceptance.js';
import { atBroker } from '../support/broker.js';
import { Cli } from '../support/cli.js';
import { seen } from '../support/seen.js';
import { System } from '../support/system.js';

let system: System;
beforeAll(async () => {
  system = await System.start();
}, 120_000);
afterAll(() => system.stop(), 60_000);

describe('expunge doctor --resource', () => {
  const doctor = async () => (await Cli.of(system, 'operations')).run('doctor', '--resource', 'receipts');

  it('says what stands in the way of deleting, before anything is deleted', async () => {
    await until('all is well', async () => (await doctor()).code === 0, 30_000);
    expect((await doctor()).out).toMatch(/^receipts can be deleted from$/m);
    const tenant = system.newTenant();
    await system.fill(tenant, 1, 1, (receipt) => (receipt.attachments = [{ key: 'elsewhere/1' }]));
    const index: Record<string, 1> = { tenantId: 1, _id: 1 };
    await system.receipts.dropIndex('tenantId_1__id_1');
    try {
      const { code, out } = await doctor();
      expect(code).toBe(6);
      expect(out).toMatch(/^receipts is not fit to be deleted from$/m);
      expect(out).toMatch(
        /^ {2}NOT OK: keys: 1 of \d+ keys of \d+ records do not begin with tenants\/\{tenantId\}\/:/m,
      );
      expect(out).toContain(
        'NOT OK: indexes: missing: db.getCollection("receipts").createIndex({"tenantId":1,"_id":1}',
      );
      expect(out).toMatch(/^ {2}ok: deletable: /m);
      expect((await system.left(tenant)).ids).toHaveLength(1);
    } finally {
      await system.receipts.createIndexes([{ key: index }]);
      await system.receipts.deleteMany({ tenantId: tenant });
    }
  });

  it('says what nobody could tell', async () => {
    const cleaner = system.services.of('storage-cleaner')[0]!.process;
    cleaner.freeze();
    try {
      const { code, out } = await doctor();
      expect([code, out]).toEqual([
        6,
        expect.stringMatching(/^ {2}not checked: storage-cleaner: none has answered within 6 s$/m),
      ]);
      expect(out).toMatch(/^receipts may not be fit to be deleted from$/m);
    } finally {
      cleaner.thaw();
    }
  });

  it('knows no resource but those that are configured', async () => {
    const { run } = await Cli.of(system, 'operations');
    expect(await run('doctor', '--resource', 'invoices')).toMatchObject({ code: 1 });
  });
});

describe('expunge parked', () => {
  const slices = workQueues.deleterSlices.name;

  it('lists what was given up on, and puts it back', async () => {
    const { tenant, run: asTenant } = await Cli.of(system);
    const { run, json } = await Cli.of(system, 'operations');
    const key = 'not-there-yet';
    const id = jobIdOfKey(tenant, key);
    const at = { source: '/test', subject: id, tenantid: tenant, time: new Date().toISOString() };
    const slice = SliceDue.create({ ...at, id: sliceId(id, 0, 1), data: { lane: 0, turn: 1 } });
    await atBroker(system, async (channel) => {
      channel.sendToQueue(slices, Buffer.from(JSON.stringify(slice)));
      await channel.waitForConfirms();
    });
    const row = new RegExp(
      `^${slices} +\\S+ +SliceDue +${id} +${slice.id} +NotFoundError: there is no job ${id}$`,
      'm',
    );
    // A monitor may hold it at this moment, to see whose it is.
    const { code, out } = await seen('it is parked', async () => {
      const list = await run('parked', 'list');
      return row.test(list.out) && list;
    });
    expect([code, out]).toEqual([0, expect.stringMatching(new RegExp(`^${slices}: 1 message parked$`, 'm'))]);
    expect(await json('parked', 'list', '--limit', '1')).toMatchObject({
      queues: expect.arrayContaining([
        expect.objectContaining({ queue: slices, count: 1, messages: [expect.objectContaining({ job: id })] }),
      ]) as unknown,
    });

    await system.fill(tenant, 2, 1);
    const create = ['jobs', 'create', '--resource', 'receipts', '--all', '--idempotency-key', key];
    // The index that another test drops is missed until a deleter has looked again.
    const created = await seen('it is accepted', async () => {
      const ran = await asTenant('--json', ...create, '--watch');
      return ran.code === 0 && ran;
    });
    expect(JSON.parse(created.out.trim().split('\n').at(-1) ?? '')).toMatchObject({ id, status: 'completed' });
    const replayed = await seen('it is put back', async () => {
      const replay = await run('parked', 'replay', slices, '--count', '5');
      return !replay.out.startsWith('0 ') && replay;
    });
    expect(replayed).toEqual({ code: 0, out: '1 message put back, 0 left\n', err: '' });
    const { queues } = await json<{ queues: { count: number }[] }>('parked', 'list');
    expect(queues.map(({ count }) => count)).toEqual([0, 0, 0, 0]);
  });

  it('puts back what there is of known queues', async () => {
    const { run } = await Cli.of(system, 'operations');
    expect(await run('parked', 'replay', workQueues.monitorEvents.name, '--count', '1')).toMatchObject({
      code: 0,
      out: '0 messages put back, 0 left\n',
    });
    expect((await run('parked', 'replay', 'nobody', '--count', '1')).code).toBe(1);
  });
});
