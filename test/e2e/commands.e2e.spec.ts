import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type StackFile, until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ObjectId } from 'mongodb';
import { Clone, type Command, npmRun, repositoryRoot } from '../support/command.js';
import { GivenStores } from '../support/given-stores.js';

let clone: Clone;
beforeAll(() => {
  clone = new Clone();
});
afterAll(() => clone.remove(), 30_000);

const seconds = expect.any(Number);

describe('npm run demo', () => {
  it('interrupted while it fills leaves no process and no folder, and works again right after', async () => {
    const first = clone.run('demo', ['--records', '20000']);
    await first.line(/^filling +\d+%/);
    // What a check for processes that finds none at all would hide.
    expect(clone.processes().length).toBeGreaterThanOrEqual(6);
    expect(clone.runFolders()).toHaveLength(2);
    first.signal('SIGINT');
    expect(await first.ended).toBe(130);

    const again = clone.run('demo', ['--records', '300', '--json']);
    expect(await again.json()).toEqual({
      code: 0,
      last: {
        records: 300,
        objects: 600,
        deleted: 300,
        purged: 600,
        remaining_records: 0,
        remaining_objects: 0,
        other_tenant_intact: true,
        seconds,
      },
    });
    await clone.untilNothingIsLeft();
  });

  it.each([
    ['--records abc', /option '--records <n>' argument 'abc' is invalid. It must be a whole number/],
    ['--receipts /nowhere', /\/nowhere holds no key\/\*\.json: it is no folder of receipts/],
    ['--receipts x --objects-per-record 3', /cannot be used with option/],
    ['--no-such-option', /unknown option/],
  ])('refuses %s at once, in words', async (args, words) => {
    const refused = clone.run('demo', args.split(' '));
    expect(await refused.ended).toBe(1);
    expect(refused.output).toMatch(words);
    expect(clone.runFolders()).toEqual([]);
  });
});

describe('npm run demo on stores of somebody else', () => {
  let stores: GivenStores;
  beforeAll(async () => {
    stores = await GivenStores.start();
  }, 60_000);
  afterAll(() => stores.stop());

  const sroie = join(repositoryRoot, '..', 'shared', 'data', 'sroie');
  const withReceipts = existsSync(sroie) ? it : it.skip;
  withReceipts('deletes the 626 real receipts of ../shared/data/sroie (where it is) with their 706 files', async () => {
    const demo = clone.run('demo', ['--receipts', sroie, '--json'], stores.env);
    expect(await demo.json()).toEqual({
      code: 0,
      last: {
        records: 626,
        objects: 706,
        deleted: 626,
        purged: 706,
        remaining_records: 0,
        remaining_objects: 0,
        other_tenant_intact: true,
        seconds,
      },
    });
    expect(await stores.left()).toEqual({ records: 0, objects: 0 });
  });

  it('fails, and says why, when something of the tenant is left and something of the other is gone', async () => {
    const demo = clone.run('demo', ['--records', '50', '--json'], stores.env);
    const [, tenant = ''] = await demo.line(/^(\S+) has 50 records/);
    await Promise.all([
      stores.put(`tenants/${tenant}/in-no-record`),
      stores.receipts.insertOne({
        _id: new ObjectId(),
        tenantId: tenant,
        attachments: [{ key: 'tenants/of-another/file' }],
      }),
      stores.receipts.deleteOne({ tenantId: `${tenant}-other` }),
    ]);
    expect(await demo.json()).toEqual({
      code: 1,
      last: {
        records: 50,
        objects: 100,
        deleted: 50,
        purged: 100,
        remaining_records: 1,
        remaining_objects: 1,
        other_tenant_intact: false,
        seconds,
      },
    });
    expect(demo.lines.filter((line) => line.includes('WRONG')).map((line) => line.trim())).toEqual([
      'WRONG      the job ended as completed_with_residue, not completed',
      'WRONG      the database still has 1 record of the tenant',
      'WRONG      the bucket still has 1 object of the tenant',
      'WRONG      the other tenant has lost something',
    ]);
    const [, logs = ''] = await demo.line(/logs: (.*-logs)$/);
    expect(readdirSync(logs)).toEqual(expect.arrayContaining(['deleter-1.log', 'monitor-1.log']));
    rmSync(logs, { recursive: true });
    expect(await stores.left()).toEqual({ records: 0, objects: 0 });
  });

  it('interrupted while it fills takes away what it had put there', async () => {
    const demo = clone.run('demo', ['--records', '20000'], stores.env);
    await demo.line(/^filling +\d+%/);
    expect(await stores.left()).not.toEqual({ records: 0, objects: 0 });
    demo.signal('SIGINT');
    expect(await demo.ended).toBe(130);
    expect(await stores.left()).toEqual({ records: 0, objects: 0 });
    await clone.untilNothingIsLeft();
  });
});

describe('npm start', () => {
  let command: Command;
  let stack: StackFile;
  beforeAll(async () => {
    command = clone.run('start', ['--deleters', '2']);
    await command.line(/Expunge is running: 1 api, 2 deleters, 1 storage-cleaner, 1 monitor/);
    stack = clone.stack()!;
  }, 60_000);

  const url = (scheme: string) => expect.stringMatching(new RegExp(`^${scheme}://\\S+$`));
  const secret = (bytes: number) => expect.stringMatching(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
  const pid = expect.any(Number);
  const ask = (token: string) => fetch(`${stack.api}/api/jobs`, { headers: { authorization: `Bearer ${token}` } });

  it('says in stack.json where everything is', () => {
    expect(stack).toEqual({
      api: url('http'),
      apis: [stack.api],
      rabbitmq: url('amqp'),
      management: url('http'),
      mongodb: url('mongodb'),
      records_mongodb: url('mongodb'),
      monitors: [url('http')],
      s3: {
        endpoint: url('http'),
        region: 'auto',
        bucket: 'expunge',
        access_key_id: secret(16),
        secret_access_key: secret(32),
      },
      jwt_secret: secret(32),
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      pids: {
        api: [pid],
        deleter: [pid, pid],
        'storage-cleaner': [pid],
        monitor: [pid],
        rabbitmq: pid,
        mongodb: pid,
        s3: pid,
      },
    });
  });

  it('is asked with its own token, or with one that npm run token prints', async () => {
    const printed = await npmRun('token', ['--tenant', 'anybody', '--stack-file', clone.stackFile]);
    const answers = await Promise.all([stack.token, printed, `${printed}x`].map(ask));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401]);
  });

  it('refuses to be a second one, and names the first', async () => {
    const second = clone.run('start');
    expect(await second.ended).toBe(1);
    expect(second.output).toBe(
      `expunge: a system of this clone is running already (pid ${command.pid}; its API is ${stack.api}). ` +
        'Stop it first, or use that one.',
    );
    expect(clone.stack()).toEqual(stack);
  });

  it('starts again what is killed, and writes its new pid into stack.json', async () => {
    const { api, deleter, monitor, s3: bucket } = stack.pids;
    const killed = [api[0]!, deleter[1]!, monitor[0]!, bucket!];
    for (const victim of killed) process.kill(victim, 'SIGKILL');
    const now = () => JSON.stringify(clone.stack()?.pids);
    await until('new pids', () => !killed.some((victim) => new RegExp(`\\b${victim}\\b`).test(now())), 20_000);
    await until('an answer', async () => (await ask(stack.token).catch(() => null))?.status === 200, 20_000);
    expect(clone.stack()).toEqual({
      ...stack,
      pids: { ...stack.pids, api: [pid], deleter: [deleter[0], pid], monitor: [pid], s3: pid },
    });
  });

  it('ends with everything it started at SIGINT, and takes stack.json away', async () => {
    command.signal('SIGINT');
    expect(await command.ended).toBe(0);
    expect(existsSync(clone.stackFile)).toBe(false);
    await clone.untilNothingIsLeft();
  });
});
