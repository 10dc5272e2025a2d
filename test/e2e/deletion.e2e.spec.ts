import { DeleteRequested, deleteRequestedId, MAINTENANCE_EXCHANGE } from '@expunge/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import { ObjectId } from 'mongodb';
import { Described, type OpenApi } from '../support/described.js';
import { seen } from '../support/seen.js';
import { idsOf, keysOf, type Receipt, type ShownJob, System } from '../support/system.js';

let system: System;
beforeAll(async () => {
  system = await System.start();
}, 120_000);
afterAll(() => system.stop(), 60_000);

const all = { selection: { all: true } };
const nothing = { ids: [], keys: [] };

describe('a deletion', () => {
  it('takes every record and object of the tenant, and nothing of another', async () => {
    const [mine, other] = [system.newTenant(), system.newTenant()];
    await system.fill(mine, 120, 2);
    const theirs = await system.fill(other, 30, 2);
    const id = await system.request(mine, { ...all, options: { batch_size: 25 } });
    const job = await system.untilEnded(mine, id);
    expect(job).toMatchObject({
      status: 'completed',
      progress: {
        processed: 120,
        succeeded: 120,
        failed_count: 0,
        total: 120,
        objects: { purged: 240, retained: 0, failed: 0, pending: 0 },
      },
      picked_up: { instance: 'deleter-1' },
      failures: [],
      last_error: null,
    });
    expect(await system.left(mine)).toEqual(nothing);
    expect(await system.left(other)).toEqual({ ids: idsOf(theirs), keys: keysOf(theirs) });
  });

  it('by filter takes exactly what matches', async () => {
    const tenant = system.newTenant();
    const receipts = await system.fill(tenant, 60, 1);
    const matches = (r: { company?: string; total?: number }) => r.company === 'Brio' && (r.total ?? 0) >= 20;
    const id = await system.request(tenant, { selection: { filter: { company: 'Brio', total: { gte: 20 } } } });
    const job = await system.untilEnded(tenant, id);
    const kept = receipts.filter((r) => !matches(r));
    expect(job).toMatchObject({ status: 'completed', progress: { succeeded: 20, total: 20 } });
    expect(await system.left(tenant)).toEqual({ ids: idsOf(kept), keys: keysOf(kept) });
  });

  it('by ids takes exactly those, and none that belongs to another tenant', async () => {
    const [tenant, other] = [system.newTenant(), system.newTenant()];
    const receipts = await system.fill(tenant, 30, 1);
    const theirs = await system.fill(other, 2, 1);
    const chosen = receipts.filter((_, i) => i % 3 === 0);
    const ids = [...chosen, ...theirs].map((r) => r._id.toHexString());
    const job = await system.untilEnded(tenant, await system.request(tenant, { selection: { ids } }));
    const kept = receipts.filter((_, i) => i % 3 !== 0);
    expect(job).toMatchObject({ status: 'completed', progress: { succeeded: 10, failed_count: 0 } });
    expect(await system.left(tenant)).toEqual({ ids: idsOf(kept), keys: keysOf(kept) });
    expect(await system.left(other)).toEqual({ ids: idsOf(theirs), keys: keysOf(theirs) });
  });

  it('is followed as it happens, event by event, by whoever is cut and comes back', async () => {
    const tenant = system.newTenant();
    await system.fill(tenant, 400, 1);
    const id = await system.request(tenant, { ...all, options: { batch_size: 10, max_records_per_second: 100 } });
    const heard: number[] = [];
    const told: ShownJob[] = [];
    for (let end: unknown; end === undefined;) {
      await using stream = await system.follow(tenant, id, heard.at(-1));
      const goal = heard.length + 25;
      await stream.until(
        'more of it',
        () => stream.kinds.includes('end') || heard.length + stream.positions.length >= goal,
      );
      heard.push(...stream.positions);
      told.push(
        ...stream.messages.filter(({ event }) => event === 'job').map(({ data }) => JSON.parse(data) as ShownJob),
      );
      end = stream.last('end');
    }
    const entries = system.database('monitor').collection<{ job: string; type: string; position: number }>('ledger');
    const ledger = await entries.find({ job: id }).sort({ position: 1 }).toArray();
    const lastOfAll = ledger.findIndex(({ type }) => type === 'JobCompleted');
    expect(heard.slice(0, lastOfAll + 1)).toEqual(ledger.slice(0, lastOfAll + 1).map(({ position }) => position));
    expect(heard).toEqual([...new Set(heard)].toSorted((a, b) => a - b));
    const counts = told.map(({ progress }) => progress.succeeded);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(new Set(counts).size).toBeGreaterThan(5);
    expect(told.at(-1)).toMatchObject({ status: 'completed', progress: { succeeded: 400, objects: { purged: 400 } } });
  });

  it('is told as the API says of itself that it tells, while it runs and after it', async () => {
    const tenant = system.newTenant();
    await system.fill(tenant, 60, 1);
    const id = await system.request(tenant, { ...all, options: { batch_size: 10, max_records_per_second: 20 } });
    const { body: document } = await system.get(tenant, '/api/openapi.json');
    const described = new Described(document as OpenApi);
    const paths = ['', '/events', '/failures', '/diagnosis', `?at=${new Date().toISOString()}`].map(
      (of) => `/api/jobs/${id}${of}`,
    );
    paths.push(
      '/api/jobs',
      '/api/jobs/health',
      '/api/jobs/worker/config',
      '/api/jobs/worker/events',
      '/api/parked',
      '/api/jobs/none',
    );
    const violations = async () => {
      const answers = await Promise.all(paths.map((path) => system.get(tenant, path)));
      return answers.flatMap((answer) => described.violationsOf(answer));
    };
    await system.until(tenant, id, 'its first batch', ({ progress }) => progress.succeeded > 0);
    expect(await violations()).toEqual([]);
    await system.untilEnded(tenant, id);
    expect(await violations()).toEqual([]);
  });

  it('of nothing completes', async () => {
    const tenant = system.newTenant();
    const job = await system.untilEnded(tenant, await system.request(tenant, all));
    expect(job).toMatchObject({ status: 'completed', progress: { processed: 0, total: 0 } });
  });

  it('purges the 2,500 objects of one batch', async () => {
    const tenant = system.newTenant();
    await system.fill(tenant, 5, 500);
    const job = await system.untilEnded(tenant, await system.request(tenant, all));
    expect(job).toMatchObject({ status: 'completed', progress: { succeeded: 5, objects: { purged: 2500 } } });
    expect(await system.left(tenant)).toEqual(nothing);
  });

  it('leaves records inserted while it runs, and takes both files of records that gain one meanwhile', async () => {
    const tenant = system.newTenant();
    const receipts = await system.fill(tenant, 400, 1);
    const gained = (r: { _id: ObjectId }) => `tenants/${tenant}/${r._id.toHexString()}/late`;
    await system.put(receipts.map(gained));
    const id = await system.request(tenant, { ...all, options: { batch_size: 5, max_records_per_second: 100 } });
    // Behind every record the job has not reached yet, one gains a file; the application knows from its own write.
    const late: string[] = [];
    const newcomers: Receipt[] = [];
    // An ObjectId tells its time to the second: what is as old as the request to it may be deleted.
    const nextSecond = (Math.floor(Date.now() / 1000) + 1) * 1000;
    const isLater = () => Date.now() >= nextSecond;
    for (const receipt of [...receipts].reverse()) {
      const { modifiedCount } = await system.receipts.updateOne(
        { _id: receipt._id },
        { $push: { attachments: { key: gained(receipt) } } },
      );
      if (modifiedCount === 1) late.push(gained(receipt));
      if (newcomers.length < 20 && isLater()) newcomers.push(...(await system.fill(tenant, 1, 1)));
    }
    await seen('the next second', isLater);
    if (newcomers.length === 0) newcomers.push(...(await system.fill(tenant, 1, 1)));
    const job = await system.untilEnded(tenant, id);
    expect(late.length).toBeGreaterThan(10);
    expect(job).toMatchObject({
      status: 'completed',
      progress: { succeeded: 400, objects: { purged: 400 + late.length } },
    });
    await system.remove(
      receipts
        .map(gained)
        .filter((key) => !late.includes(key))
        .slice(0, 1000),
    );
    expect(await system.left(tenant)).toEqual({ ids: idsOf(newcomers), keys: keysOf(newcomers) });
  });

  it('keeps an object that another record refers to, says so, and takes it with the last record', async () => {
    const [tenant, other] = [system.newTenant(), system.newTenant()];
    const shared = `tenants/${tenant}/shared`;
    await system.put([shared]);
    await system.fill(tenant, 10, 1, (receipt, i) => {
      if (i % 5 === 0) receipt.previewKey = shared;
    });
    await system.receipts.insertOne({ _id: new ObjectId(), tenantId: other, previewKey: shared });
    const options = { batch_size: 2 };
    const first = await system.untilEnded(tenant, await system.request(tenant, { ...all, options }));
    expect(first).toMatchObject({
      status: 'completed',
      progress: { succeeded: 10, objects: { purged: 10, retained: 1 } },
      retained_keys: [shared],
    });
    expect(await system.left(tenant)).toEqual({ ids: [], keys: [shared] });

    await system.receipts.updateOne({ tenantId: other }, { $set: { tenantId: tenant } });
    const second = await system.untilEnded(tenant, await system.request(tenant, all));
    expect(second).toMatchObject({
      status: 'completed',
      progress: { succeeded: 1, objects: { purged: 1, retained: 0 } },
    });
    expect(await system.left(tenant)).toEqual(nothing);
  });

  it('leaves a record with a key outside its prefix, with its files, and says so', async () => {
    const [tenant, other] = [system.newTenant(), system.newTenant()];
    const foreign = `tenants/${other}/theirs`;
    await system.put([foreign]);
    const receipts = await system.fill(tenant, 6, 1, (receipt, i) => {
      if (i === 3) receipt.attachments?.push({ key: foreign });
    });
    const job = await system.untilEnded(tenant, await system.request(tenant, all));
    const id = receipts[3]?._id.toHexString();
    expect(job).toMatchObject({
      status: 'completed_with_residue',
      progress: { succeeded: 5, failed_count: 1, objects: { purged: 5, failed: 0, pending: 0 } },
      failures: [{ id, code: 'KEY_OUTSIDE_PREFIX' }],
    });
    expect(await system.left(tenant)).toEqual({ ids: [id], keys: [`tenants/${tenant}/${id}/0`] });
    expect(await system.keys(foreign)).toEqual([foreign]);
  });

  it('is one job, though its request is delivered three times', async () => {
    const tenant = system.newTenant();
    await system.fill(tenant, 40, 1);
    const job = `thrice-${tenant}`;
    const now = new Date();
    const message = DeleteRequested.create({
      id: deleteRequestedId(job),
      source: 'urn:expunge:api',
      subject: job,
      time: now.toISOString(),
      tenantid: tenant,
      data: {
        resource: 'receipts',
        selection: { all: true },
        options: { batchSize: 10 },
        requestedBy: 'test',
        reason: null,
        notAfter: new Date(now.getTime() + 60_000).toISOString(),
      },
    });
    const connection = await connect(system.stack.rabbitmq.url);
    const channel = await connection.createConfirmChannel();
    for (let n = 0; n < 3; n++) {
      channel.publish(MAINTENANCE_EXCHANGE, 'delete.requested', Buffer.from(JSON.stringify(message)), {
        persistent: true,
        contentType: 'application/cloudevents+json',
        messageId: message.id,
        type: message.type,
      });
    }
    await channel.waitForConfirms();
    await channel.close();
    await connection.close();
    const shown = await system.untilEnded(tenant, job);
    expect(shown).toMatchObject({ status: 'completed', progress: { succeeded: 40, objects: { purged: 40 } } });
    expect(await system.left(tenant)).toEqual(nothing);
  });

  it('is one job for one Idempotency-Key', async () => {
    const tenant = system.newTenant();
    await system.fill(tenant, 3, 1);
    const headers = { 'idempotency-key': 'once' };
    const ids = await Promise.all([1, 2, 3].map(() => system.request(tenant, all, headers)));
    expect(new Set(ids).size).toBe(1);
    expect(await system.untilEnded(tenant, ids[0]!)).toMatchObject({ status: 'completed', progress: { succeeded: 3 } });
  });

  it('is refused while the collection lacks an index it needs, with the command that makes it', async () => {
    const tenant = system.newTenant();
    const outcome = () => system.request(tenant, all).catch((refusal: unknown) => String(refusal));
    const becomes = async (expected: RegExp) => {
      const end = Date.now() + 30_000;
      for (;;) {
        const answer = await outcome();
        if (expected.test(answer)) return answer;
        if (Date.now() > end) throw new Error(`still answers ${answer}`);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    };
    await system.receipts.dropIndex('previewKey_1');
    const refusal = await becomes(/answered 409/);
    expect(refusal).toContain('missing-index');
    expect(refusal).toContain('createIndex({\\"previewKey\\":1}, {\\"collation\\":{\\"locale\\":\\"simple\\"}})');
    await system.receipts.createIndexes([{ key: { previewKey: 1 } }]);
    await becomes(/^[0-9a-f-]{36}$/);
  });
});
