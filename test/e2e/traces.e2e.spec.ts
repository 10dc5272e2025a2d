import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PauseRequested, workQueues } from '@expunge/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { atBroker } from '../support/broker.js';
import { seen } from '../support/seen.js';
import { type ShownJob, System } from '../support/system.js';
import { ancestriesOf, isRoot, type ReceivedSpan, TraceReceiver, treeOf } from '../support/trace-receiver.js';

const SHORT = 3;
const LONG = 60;
const services = ['api', 'deleter', 'monitor', 'storage-cleaner'];
const planted = `planted-${randomBytes(8).toString('hex')}`;
const strangersTrace = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;

let receiver: TraceReceiver;
let system: System;
let [short, long]: (ShownJob | undefined)[] = [];
let metrics: Map<string, string>;
let logs: string;

/** Spans wait for a minute before they are sent: what is looked at here is what a service sends when it is told to end. */
beforeAll(async () => {
  receiver = await TraceReceiver.start();
  const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '60000' };
  system = await System.start({ env });
  short = await deleted(SHORT, {});
  const [, ofLong] = await Promise.all([isCounted(), deleted(LONG, { batch_size: 5, max_records_per_second: 20 })]);
  long = ofLong;
  await isCountedNoMore();
  await pauseOfNobody();
  metrics = new Map(
    await Promise.all(system.services.all.map(async ({ name, url }) => [name, await metricsOf(url)] as const)),
  );
  await system.services.stop();
  const { logs: folder } = system.stack.run;
  logs = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}, 180_000);

afterAll(async () => {
  await system.stop();
  await receiver.stop();
}, 60_000);

async function deleted(records: number, options: object): Promise<ShownJob> {
  const tenant = system.newTenant();
  await system.fill(tenant, records, 2, (receipt) => (receipt.company = planted));
  const id = await system.request(tenant, { selection: { filter: { company: planted } }, options });
  return system.untilEnded(tenant, id);
}

/** While a job runs, a monitor says so, and no longer. */
const countedByMonitor = () => metricsOf(system.services.of('monitor')[0]!.url);
const isCounted = () =>
  seen('a running job is counted', async () =>
    /^expunge_jobs\{[^}]*"running"[^}]*\} 1$/m.test(await countedByMonitor()),
  );
const isCountedNoMore = () => seen('no job is counted', async () => !/^expunge_jobs\{/m.test(await countedByMonitor()));

/** Of a job that there is not: tried again until it may no longer come. */
async function pauseOfNobody(): Promise<void> {
  const { deleterJobs } = workQueues;
  const message = PauseRequested.create({
    id: 'nobody:pause:1',
    source: 'urn:expunge:test',
    subject: 'nobody',
    time: new Date().toISOString(),
    tenantid: 'acme',
    traceparent: strangersTrace,
    data: { requestedBy: 'a test', reason: null },
  });
  await atBroker(system, async (channel) => {
    channel.sendToQueue(deleterJobs.name, Buffer.from(JSON.stringify(message)), { persistent: true });
    await channel.waitForConfirms();
  });
  const retried = /expunge_deliveries_total\{[^}]*deleter\.jobs[^}]*retry[^}]*\} 2/;
  await seen('two attempts', async () => retried.test(await metricsOf(system.services.of('deleter')[0]!.url)));
}

const metricsOf = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text();
const spansOf = (job: ShownJob | undefined) => receiver.ofJob(job?.id ?? '');
const named = (name: string) => (span: ReceivedSpan) => span.name === name;

describe('the trace of a request', () => {
  it('shows the deletion cross all four services, as one tree', () => {
    const spans = receiver.inTrace(short?.trace_id ?? '');
    const roots = spans.filter(isRoot);
    expect(roots).toHaveLength(1);
    expect([...new Set(spans.map(({ service }) => service))].toSorted()).toEqual(services);
    const tree = treeOf(roots[0]!, spans);
    expect(tree).toHaveLength(spans.length);
    expect(tree[0]).toBe('api: POST /api/jobs');
  });

  it.each([
    ['api: POST /api/jobs > api: publish maintenance:delete.requested'],
    [
      'api: POST /api/jobs > deleter: process maintenance:delete.requested:deleter.jobs > deleter: process deleter.slices',
    ],
    ['deleter: process maintenance:delete.requested:deleter.jobs > deleter: publish maintenance:deletion.started'],
    ['deleter: process deleter.slices > deleter: plan'],
    ['deleter: process deleter.slices > deleter: delete'],
    ['deleter: process deleter.slices > storage-cleaner: process maintenance:batch.deleted:storage-cleaner.batches'],
    ['storage-cleaner: process maintenance:batch.deleted:storage-cleaner.batches > storage-cleaner: purge'],
    ['deleter: process deleter.slices > monitor: process maintenance:batch.deleted:monitor.events > monitor: append'],
    [
      'storage-cleaner: process maintenance:batch.deleted:storage-cleaner.batches > monitor: process maintenance:objects.purged:monitor.events > monitor: fold',
    ],
  ])('has %s', (path) => {
    expect(ancestriesOf(receiver.inTrace(short?.trace_id ?? ''))).toContainEqual(expect.stringContaining(path));
  });

  it('ends with the first slice; each later one has its own, linked to it, and is found by the job', () => {
    const slices = spansOf(long).filter(named('process deleter.slices'));
    const first = slices.filter(({ traceId }) => traceId === long?.trace_id);
    const later = slices.filter(({ traceId }) => traceId !== long?.trace_id);
    expect(first).toHaveLength(1);
    expect(later.length).toBeGreaterThan(1);
    expect(later.every(isRoot)).toBe(true);
    for (const { links } of later) expect(links?.map(({ traceId }) => traceId)).toEqual([long?.trace_id]);
    expect(new Set(slices.map(({ traceId }) => traceId)).size).toBe(slices.length);
    const batches = spansOf(long).filter(named('delete'));
    const records = batches.reduce((sum, { attributes }) => sum + Number(attributes['expunge.records']), 0);
    expect(records).toBe(LONG);
  });

  it.each(['delete.verification-requested', 'check.requested', 'job.completed'])(
    'has nothing of %s, which comes when all is deleted: that is linked to it',
    (key) => {
      const comes = spansOf(long).filter(({ name }) => name.includes(`process maintenance:${key}:`));
      expect(comes.length).toBeGreaterThan(0);
      expect(comes.filter(({ traceId }) => traceId === long?.trace_id)).toEqual([]);
      expect(comes.every((span) => isRoot(span) && span.links?.length === 1)).toBe(true);
    },
  );

  it('says of an attempt that failed why, and that it is tried again', () => {
    const traceId = strangersTrace.split('-')[1] ?? '';
    const attempts = receiver.inTrace(traceId).filter(({ service }) => service === 'deleter');
    const told = attempts.map(({ attributes, status }) => [
      attributes['expunge.attempt'],
      attributes['expunge.settlement'],
      attributes['error.type'],
      status.code,
    ]);
    expect(told).toContainEqual([1, 'retry', 'UNKNOWN_JOB', 'STATUS_CODE_ERROR']);
    expect(told).toContainEqual([2, 'retry', 'UNKNOWN_JOB', 'STATUS_CODE_ERROR']);
  });
});

describe('spans that were under way or waited to be sent when a service was told to end', () => {
  it('are all there: no span has a parent that is not', () => {
    const ids = new Set(receiver.spans.map(({ spanId }) => spanId));
    const ofOurs = receiver.spans.filter(({ parentSpanId }) => parentSpanId && !strangersTrace.includes(parentSpanId));
    expect(ofOurs.filter(({ parentSpanId }) => !ids.has(parentSpanId!))).toEqual([]);
  });
});

describe('metrics', () => {
  const valueOf = (service: string, pattern: RegExp): number[] =>
    [...(metrics.get(`${service}-1`) ?? '').matchAll(pattern)].map(([, value]) => Number(value));

  it('count records and objects as the job does', () => {
    expect(valueOf('deleter', /^expunge_records_total\{[^}]*outcome="deleted"[^}]*\} (\d+)/gm)).toEqual([SHORT + LONG]);
    expect(valueOf('storage-cleaner', /^expunge_objects_total\{[^}]*outcome="purged"[^}]*\} (\d+)/gm)).toEqual([
      2 * (SHORT + LONG),
    ]);
  });

  it('tell of each event how long it took to its fold', async () => {
    const events = await Promise.all([short, long].map((job) => system.heardOf(job?.id ?? '')));
    const [count = 0] = valueOf('monitor', /^expunge_fold_delay_count(?:\{[^}]*\})? (\d+)/gm);
    expect(count).toBeGreaterThanOrEqual(events.flat().length);
    expect(valueOf('monitor', /^expunge_fold_delay_bucket\{[^}]*le="30"[^}]*\} (\d+)/gm)).toEqual([count]);
  });

  it.each([
    ['api', 'expunge_requests_total'],
    ['monitor', 'expunge_fold_heartbeat_age'],
    ['api', 'messaging_client_operation_duration_count'],
    ['deleter', 'expunge_batch_duration_count'],
    ['deleter', 'expunge_first_batch_delay_count'],
    ['deleter', 'messaging_process_duration_count'],
    ['monitor', 'expunge_fold_lag'],
    ['monitor', 'expunge_parked'],
    ['monitor', 'expunge_job_transitions_total'],
    ['monitor', 'nodejs_eventloop_utilization'],
    ['storage-cleaner', 'process_memory_usage'],
    ['storage-cleaner', 'process_cpu_time_total'],
  ])('of the %s have %s', (service, name) => {
    expect(metrics.get(`${service}-1`)).toMatch(new RegExp(`^${name}(\\{[^}]*\\})? `, 'm'));
  });
});

describe('logs, spans and metrics', () => {
  it('belong together: a line about a slice carries its trace', () => {
    const [slice] = spansOf(long).filter(named('process deleter.slices')).filter(isRoot);
    const line = logs.split('\n').find((one) => one.includes('picked up') && one.includes(slice?.traceId ?? '-'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ job: long?.id, trace_id: slice?.traceId });
  });

  it('tell no content of records and no secret', () => {
    const { s3, rabbitmq } = system.stack;
    // Of whatever token.
    const header = 'eyJhbGciOi';
    const secrets = [planted, header, s3.secretAccessKey, new URL(rabbitmq.url).password, system.jwtSecret];
    const told = [JSON.stringify(receiver.spans), logs, ...metrics.values()];
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(4);
      expect(told.filter((text) => text.includes(secret))).toEqual([]);
    }
  });
});
