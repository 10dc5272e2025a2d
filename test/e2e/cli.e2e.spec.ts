import { freePort, until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cli } from '../support/cli.js';
import { idsOf, type ShownJob, System } from '../support/system.js';

const UNASKED = 20;

let system: System;
beforeAll(async () => {
  system = await System.start({ env: { ...process.env, CONFIRM_ABOVE: String(UNASKED) } });
}, 120_000);
afterAll(() => system.stop(), 60_000);

const cliOf = (tenant?: string, api?: string) => Cli.of(system, tenant, api);
const create = ['jobs', 'create', '--resource', 'receipts'];

describe('expunge jobs', () => {
  it('creates one and follows it until nothing is left', async () => {
    const { tenant, run, json } = await cliOf();
    await system.fill(tenant, 12, 1);
    const dryRun = await json(...create, '--all', '--dry-run', '--watch');
    expect(dryRun).toMatchObject({ status: 'completed', dry_run: { total: 12, total_is_estimate: false } });
    expect((await system.left(tenant)).ids).toHaveLength(12);
    const { code, out } = await run(
      ...create,
      '--all',
      '--based-on',
      dryRun.id,
      '--reason',
      'contract ended',
      '--watch',
    );
    expect([code, out]).toEqual([0, expect.stringMatching(/^progress +12\/12 records, 12\/12 objects, completed$/m)]);
    expect(out).toMatch(/^reason +contract ended$/m);
    expect(await system.left(tenant)).toEqual({ ids: [], keys: [] });
    const listed = await json<{ jobs: ShownJob[] }>('jobs', 'list', '--limit', '1');
    expect(listed.jobs.map(({ id }) => id)).toHaveLength(1);
    const list = await run('jobs', 'list');
    expect([list.code, list.out]).toEqual([0, expect.stringMatching(new RegExp(`^${dryRun.id} .* completed$`, 'm'))]);
  });

  it('takes the ids it is given, and the filter', async () => {
    const { tenant, run } = await cliOf();
    const receipts = await system.fill(tenant, 8, 1);
    const [first = '', second = '', ...others] = receipts.map(({ _id }) => _id.toHexString());
    expect((await run(...create, '--ids', first, second, '--watch')).code).toBe(0);
    expect((await system.left(tenant)).ids).toEqual(others.toSorted());
    const { code } = await run(...create, '--filter', '{"total": {"gte": 5}}', '--watch');
    expect([code, (await system.left(tenant)).ids]).toEqual([0, idsOf(receipts.slice(2, 5))]);
  });

  it('says that one waits for a confirmation, and gives it', async () => {
    const { tenant, run, json } = await cliOf();
    await system.fill(tenant, UNASKED + 5, 0);
    const { code, out } = await run(...create, '--all', '--watch');
    expect([code, out]).toEqual([5, expect.stringMatching(/^confirmation +25 records match: confirm, or cancel$/m)]);
    const [job] = (await json<{ jobs: ShownJob[] }>('jobs', 'list', '--status', 'awaiting_confirmation')).jobs;
    expect((await run('jobs', 'confirm', job!.id, '--watch')).code).toBe(0);
    expect((await system.left(tenant)).ids).toEqual([]);
  });

  it('pauses, lets go, slows down and cancels one, and says that not all is gone', async () => {
    const { tenant, run, json } = await cliOf();
    await system.fill(tenant, UNASKED, 0);
    const { id } = await json(...create, '--all', '--rate', '1');
    const reached = (status: string) => system.until(tenant, id, status, (job) => job.status === status);
    await system.until(tenant, id, 'its first record', ({ progress }) => progress.succeeded > 0);
    const paused = await run('jobs', 'pause', id, '--reason', 'wrong month?');
    expect([paused.code, paused.out]).toEqual([0, expect.stringMatching(/^last request +PauseRequested pending$/m)]);
    await reached('paused');
    await until('why it stands', async () => /^USER:PAUSED /.test((await run('diagnose', id)).out), 15_000);
    expect((await run('diagnose', id)).code).toBe(0);
    expect((await run('jobs', 'resume', id)).code).toBe(0);
    await reached('running');
    expect((await run('jobs', 'rate', id, '2')).code).toBe(0);
    await system.until(tenant, id, 'its rate', (job) => job.max_records_per_second === 2);
    expect((await run('jobs', 'cancel', id)).code).toBe(0);
    const { code, out } = await run('jobs', 'watch', id);
    expect([code, out]).toEqual([4, expect.stringMatching(/ cancelled$/m)]);
    expect((await run('jobs', 'pause', id)).err).toContain('expunge: not-allowed: ');
  });

  it('shows one, as it is and as it was', async () => {
    const { tenant, run, json } = await cliOf();
    await system.fill(tenant, 3, 1);
    const { id } = await json(...create, '--all', '--rate', '2');
    await run('jobs', 'pause', id);
    await system.until(tenant, id, 'its pause', ({ status }) => status === 'paused');
    const pausedAt = new Date().toISOString();
    await run('jobs', 'resume', id, '--watch');
    const { code, out } = await run('jobs', 'show', id);
    expect([code, out]).toEqual([0, expect.stringMatching(/^progress +3\/3 records, 3\/3 objects, completed$/m)]);
    expect(await json('jobs', 'show', id, '--at', pausedAt)).toMatchObject({ id, at: pausedAt, status: 'paused' });
  });

  it('retries one that has left something, and follows what becomes of that', async () => {
    const { tenant, run, json } = await cliOf();
    const [receipt] = await system.fill(tenant, 8, 1);
    const { id } = await json(...create, '--all', '--rate', '4');
    await system.until(tenant, id, 'its first records', ({ progress }) => progress.succeeded > 0);
    const cleaner = system.services.of('storage-cleaner')[0]!.process;
    cleaner.freeze();
    try {
      await system.until(tenant, id, 'the end of its records', ({ status }) => status === 'purging');
      // After the last look at the records, and before the look for what is left.
      await system.receipts.insertOne(receipt!);
    } finally {
      cleaner.thaw();
    }
    const { code, out } = await run('jobs', 'watch', id);
    expect([code, out]).toEqual([4, expect.stringMatching(/^progress +8\/8 .*, completed_with_residue$/m)]);
    const retried = await run('jobs', 'retry', id, '--reason', 'somebody put one back', '--watch');
    expect([retried.code, retried.out]).toEqual([0, expect.stringMatching(/^last request +RetryRequested applied$/m)]);
    expect(await system.left(tenant)).toEqual({ ids: [], keys: [] });
  });

  it('follows one over the death of the api', async () => {
    const { tenant, run, json } = await cliOf();
    await system.fill(tenant, 16, 0);
    const { id } = await json(...create, '--all', '--rate', '4');
    const watching = run('--json', 'jobs', 'watch', id);
    await system.until(tenant, id, 'its first records', ({ progress }) => progress.succeeded > 0);
    system.services.of('api')[0]!.process.kill('SIGKILL');
    const { code, out } = await watching;
    expect([code, JSON.parse(out.trim().split('\n').at(-1) ?? '')]).toEqual([
      0,
      expect.objectContaining({ id, status: 'completed' }),
    ]);
  });
});

describe('an exit code', () => {
  it.each([
    [[...create], 'exactly one of --all, --ids, --ids-from and --filter'],
    [[...create, '--all', '--ids', 'a'], 'exactly one of --all, --ids, --ids-from and --filter'],
    [['jobs', 'create', '--all'], '--resource'],
    [[...create, '--filter', '{'], 'must be JSON'],
    [[...create, '--all', '--expected-max-records', '0'], 'from 1 to'],
    [['jobs', 'rate', 'j', 'fast'], 'from 1 to 1000000, or none'],
    [['jobs', 'delete', 'j'], "unknown command 'delete'"],
  ])('is 2 for a wrong command line, and nothing is asked: %j', async (args, says) => {
    const { run, json } = await cliOf();
    const { code, out, err } = await run(...args);
    expect([code, out, err]).toEqual([2, '', expect.stringContaining(says)]);
    expect(await json('jobs', 'list')).toEqual({ jobs: [] });
  });

  it('is 1 where the API says no, with what is wrong', async () => {
    const { run } = await cliOf();
    const refused = await run('jobs', 'create', '--resource', 'receipts', '--ids', 'no-id');
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/^expunge: invalid-request: .*ids/)]);
    const theirs = await cliOf();
    const { id } = await theirs.json(...create, '--all');
    expect(await run('jobs', 'show', id)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^expunge: not-found: /),
    });
  });

  it('is 3 where nobody answers', async () => {
    const { run } = await cliOf('nobody', `http://127.0.0.1:${await freePort()}`);
    const { code, err } = await run('jobs', 'list');
    expect([code, err]).toEqual([3, expect.stringContaining('does not answer: connect ECONNREFUSED')]);
  });

  it('comes with --json with a problem, whoever says no, as the only line of the standard error', async () => {
    const { run } = await cliOf();
    const nobody = await cliOf('nobody', `http://127.0.0.1:${await freePort()}`);
    const ended = [
      await run('--json', 'jobs', 'show', 'no-such-job'),
      await run('jobs', 'create', '--json'),
      await nobody.run('--json', 'jobs', 'list'),
    ];
    expect(ended.map(({ code, out, err }) => [code, out, JSON.parse(err) as unknown])).toEqual([
      [1, '', expect.objectContaining({ code: 'not-found', status: 404, detail: expect.any(String) as unknown })],
      [
        2,
        '',
        {
          code: 'wrong-command-line',
          title: 'The command line is wrong, nothing was asked',
          detail: "required option '--resource <name>' not specified",
        },
      ],
      [
        3,
        '',
        { code: 'unreachable', title: 'Nobody answers', detail: expect.stringContaining('does not answer') as unknown },
      ],
    ]);
  });

  it('is 6 where something is wrong', async () => {
    const { tenant, run, json } = await cliOf();
    await until('all is well', async () => (await run('doctor')).code === 0, 30_000);
    expect((await run('doctor')).out).toMatch(/^deleter\.slices: 1 of deleter listen$/m);
    await system.fill(tenant, UNASKED, 0);
    const { id } = await json(...create, '--all', '--rate', '1');
    const deleter = system.services.of('deleter')[0]!.process;
    deleter.freeze();
    try {
      await until('the verdict', async () => (await run('diagnose', id)).code === 6, 30_000);
      const { out } = await run('diagnose', id);
      expect(out).toMatch(/^WORKER:NO_HEARTBEAT \(blocking, since .*\n {2}heartbeat: /);
      await until('that all is not well', async () => (await run('doctor')).code === 6, 10_000);
    } finally {
      deleter.thaw();
    }
    expect((await run('jobs', 'cancel', id)).code).toBe(0);
  });
});

describe('progress', () => {
  const RECORDS = 18;
  const slowly = [...create, '--all', '--rate', '6', '--batch-size', '2', '--watch'];

  it('is on a terminal a bar that is drawn over as it grows', async () => {
    const { tenant, onTerminal } = await cliOf();
    await system.fill(tenant, RECORDS, 0);
    const { code, out } = await onTerminal(...slowly);
    // eslint-disable-next-line no-control-regex
    const redrawn = /\u001b\[1Gdeleting (█*)(░*) (\d+)% /g;
    // A verdict, when one comes, is a line between two bars.
    const bars = out
      .split('\r\n')
      .map((line) => [...line.matchAll(redrawn)].map(([, done = '', open = '', n]) => [done.length, open.length, n]))
      .filter((bar) => bar.length > 0);
    const sizes = bars.map((bar) => bar.map(([done]) => Number(done)));
    expect([code, bars.at(-1)?.at(-1)]).toEqual([0, [30, 0, '100']]);
    expect(bars.map(([first]) => first)).toEqual(bars.map(() => [0, 30, '0']));
    expect(sizes).toEqual(sizes.map((bar) => bar.toSorted((one, other) => one - other)));
    expect(new Set(sizes.flat()).size).toBeGreaterThan(3);
    expect(out).toMatch(/\r\nprogress +18\/18 records, completed\r\n/);
  });

  it('is lines elsewhere', async () => {
    const { tenant, run } = await cliOf();
    await system.fill(tenant, RECORDS, 0);
    const { code, out } = await run(...slowly);
    const lines = out.split('\n').filter((line) => line.startsWith('deleting'));
    expect([code, lines.length > 1, lines.at(-1)]).toEqual([0, true, 'deleting 100% 18/18 records, completed']);
    // How many there are nobody knows while it is queued.
    expect(lines.filter((line) => !/^deleting \d+% \d+(\/18)? records, /.test(line))).toEqual([]);
    // eslint-disable-next-line no-control-regex
    expect(out).not.toMatch(/[\u001b\r]/);
  });
});
