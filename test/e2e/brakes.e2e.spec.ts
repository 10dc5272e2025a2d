import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Described, type OpenApi } from '../support/described.js';
import { idsOf, keysOf, type Receipt, type ShownJob, System } from '../support/system.js';

const UNASKED = 20;
const RECORDS = 30;

let system: System;
beforeAll(async () => {
  system = await System.start({ env: { ...process.env, CONFIRM_ABOVE: String(UNASKED) } });
}, 120_000);
afterAll(() => system.stop(), 60_000);

interface Given {
  tenant: string;
  receipts: Receipt[];
  request: (options?: object) => Promise<string>;
  until: (id: string, status: string) => Promise<ShownJob>;
}

async function given(): Promise<Given> {
  const tenant = system.newTenant();
  const receipts = await system.fill(tenant, RECORDS, 1);
  return {
    tenant,
    receipts,
    request: (options = {}) => system.request(tenant, { selection: { all: true }, options }),
    until: (id, status) => system.until(tenant, id, status, (shown) => shown.status === status),
  };
}

const whole = (receipts: Receipt[]) => ({ ids: idsOf(receipts), keys: keysOf(receipts) });

describe('more records than go unasked', () => {
  it('stay, and the job says why, until somebody confirms it', async () => {
    const { tenant, receipts, request, until } = await given();
    const id = await request();
    const waiting = await until(id, 'awaiting_confirmation');
    expect(waiting).toMatchObject({
      confirmation: { total: RECORDS, total_is_estimate: false, limit: UNASKED },
      progress: { processed: 0, total: RECORDS },
    });
    const told = await system.until(tenant, id, 'why it waits', ({ diagnosis }) => diagnosis !== null);
    expect(told.diagnosis).toMatchObject({
      code: 'USER:AWAITING_CONFIRMATION',
      summary: `Waits for somebody to confirm it: ${RECORDS} records match, more than ${UNASKED} go unasked.`,
    });
    await expect(system.ask(tenant, id, 'pause')).rejects.toThrow('409');
    expect(await system.left(tenant)).toEqual(whole(receipts));
    await system.ask(tenant, id, 'confirm');
    expect(await until(id, 'completed')).toMatchObject({ progress: { succeeded: RECORDS }, diagnosis: null });
    expect(await system.left(tenant)).toEqual({ ids: [], keys: [] });
  });

  it('stay for good when the job is cancelled', async () => {
    const { tenant, receipts, request, until } = await given();
    const id = await request();
    await until(id, 'awaiting_confirmation');
    await system.ask(tenant, id, 'cancel');
    await until(id, 'cancelled');
    expect(await system.left(tenant)).toEqual(whole(receipts));
  });

  it('go at once where so many were expected, and none does where fewer were', async () => {
    const { tenant, receipts, request, until } = await given();
    const few = await until(await request({ expected_max_records: RECORDS - 1 }), 'failed');
    expect(few.last_error?.code).toBe('MORE_THAN_PLANNED');
    expect(await system.left(tenant)).toEqual(whole(receipts));
    await until(await request({ expected_max_records: RECORDS }), 'completed');
    expect(await system.left(tenant)).toEqual({ ids: [], keys: [] });
  });
});

describe('a dry run', () => {
  it('shows what would go and deletes nothing; a deletion based on it touches nothing that came after it', async () => {
    const { tenant, receipts, request, until } = await given();
    const dryRun = await request({ dry_run: true });
    const shown = await until(dryRun, 'completed');
    const [first] = receipts;
    expect(shown).toMatchObject({ dry_run: { total: RECORDS, total_is_estimate: false }, confirmation: null });
    expect(shown.dry_run?.sample).toHaveLength(RECORDS);
    expect(shown.dry_run?.sample?.[0]).toEqual({
      id: first?._id.toHexString(),
      object_keys: keysOf([first!]),
      failure: null,
    });
    const described = new Described((await system.get(tenant, '/api/openapi.json')).body as OpenApi);
    const answers = await Promise.all(['', `/${dryRun}`].map((path) => system.get(tenant, `/api/jobs${path}`)));
    expect(answers.flatMap((answer) => described.violationsOf(answer))).toEqual([]);
    expect(await system.left(tenant)).toEqual(whole(receipts));
    const later = await system.fill(tenant, 5, 1);
    const ids = receipts.map(({ _id }) => _id.toHexString());
    const other = system.request(tenant, { selection: { ids }, options: { based_on: dryRun } });
    await expect(other).rejects.toThrow('412');
    await until(await request({ based_on: dryRun }), 'completed');
    expect(await system.left(tenant)).toEqual(whole(later));
  });
});

describe('a deletion of a list of ids', () => {
  it('that differs from its dry run only behind what the api compares fails, and deletes nothing', async () => {
    const { tenant, receipts, until } = await given();
    const ids = idsOf(receipts);
    const dryRun = await system.request(tenant, { selection: { ids: ids.slice(0, 25) }, options: { dry_run: true } });
    await until(dryRun, 'completed');
    const selection = { ids: [...ids.slice(0, 24), ids[25]] };
    const job = await system.request(tenant, { selection, options: { based_on: dryRun } });
    expect((await until(job, 'failed')).last_error?.code).toBe('BASED_ON_MISMATCH');
    expect(await system.left(tenant)).toEqual(whole(receipts));
  });
});

describe('the brake for everything', () => {
  it('pauses the jobs of all tenants, and each goes on by itself', async () => {
    const two = await Promise.all([given(), given()]);
    const options = { batch_size: 1, max_records_per_second: 2, expected_max_records: RECORDS };
    const ids = await Promise.all(two.map(({ request }) => request(options)));
    const of = <T>(what: (one: Given, id: string) => Promise<T>) =>
      Promise.all(two.map((one, index) => what(one, ids[index] ?? '')));
    await of(({ until }, id) => until(id, 'running'));
    const { asked, jobs } = await system.pauseAll('the collection moves');
    expect(asked).toBe(2);
    expect(jobs.map(({ id }) => id).sort()).toEqual([...ids].sort());
    const paused = await of(({ until }, id) => until(id, 'paused'));
    expect(paused.map(({ progress }) => progress.succeeded < RECORDS)).toEqual([true, true]);
    await of(async ({ tenant, until }, id) => {
      await system.ask(tenant, id, 'resume');
      await system.ask(tenant, id, null);
      return until(id, 'completed');
    });
    expect(await of(({ tenant }) => system.left(tenant))).toEqual([0, 0].map(() => ({ ids: [], keys: [] })));
  });
});
