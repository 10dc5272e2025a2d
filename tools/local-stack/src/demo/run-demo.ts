import { randomBytes } from 'node:crypto';
import { count, showProgress } from '@expunge/cli';
import type { LocalStack } from '../local-stack.js';
import type { Services } from '../services/start-services.js';
import { signToken } from '../token.js';
import { Bucket } from './bucket.adapter.js';
import { fillTenant, prefixOf } from './fill-tenant.js';
import { followJob } from './follow-job.js';
import { type Job, JobClient } from './job-client.js';
import { OtherTenant } from './other-tenant.js';
import { describeFilling, describeJob } from './progress-text.js';
import type { ReceiptSource } from './receipt.js';
import { Records } from './records.adapter.js';
import { prepareRecords } from '../prepare-records.js';
import { type Outcome, shortcomings } from './verdict.js';

export interface DemoOptions {
  readonly source: ReceiptSource;
  readonly otherSource: ReceiptSource;
  readonly jwtSecret: string;
  readonly startServices: () => Promise<Services>;
  /** What is left of both tenants has to be taken away by hand, because a store outlives us. */
  readonly tidy: boolean;
  /** Ends it early, tidied up. */
  readonly signal: AbortSignal;
}

export interface DemoResult {
  readonly outcome: Outcome;
  readonly wrong: readonly string[];
  readonly api: string;
  readonly token: string;
}

interface Stores {
  readonly records: Records;
  readonly bucket: Bucket;
}

/** Fills two tenants, has one deleted over HTTP and looks for itself what is left. */
export async function runDemo(stack: LocalStack, options: DemoOptions): Promise<DemoResult> {
  const tenant = `demo-${randomBytes(4).toString('hex')}`;
  // Its name begins like the first one's: a prefix cut too short would reach it.
  const other = new OtherTenant(`${tenant}-other`);
  const stores = { records: await Records.open(stack.mongodb.recordsUrl), bucket: new Bucket(stack.s3) };
  try {
    // Before the services start, because a deleter that starts without an index reports it as missing.
    await prepareRecords(stack);
    const starting = options.startServices();
    const failing = new AbortController();
    starting.catch((error: unknown) => failing.abort(error));
    const signal = AbortSignal.any([options.signal, failing.signal]);
    await fill(tenant, other, { ...options, signal }, stores);
    const api = (await starting).of('api')[0]?.url ?? '';
    const token = await signToken(options.jwtSecret, tenant);
    const { job, seconds } = await deleteAll(new JobClient(api, token), options);
    const outcome = await lookAtStores(tenant, other, stores, { ...countsOf(options.source, job), seconds });
    const wrong = shortcomings(job.status, outcome);
    console.log(summaryOf(tenant, other, outcome, wrong));
    return { outcome, wrong, api, token };
  } finally {
    if (options.tidy) await tidy([tenant, other.id], stores);
    await stores.records.close();
    stores.bucket.close();
  }
}

async function fill(tenant: string, other: OtherTenant, options: DemoOptions, stores: Stores): Promise<void> {
  const { source, otherSource, signal } = options;
  const total = source.records + source.objects + otherSource.records + otherSource.objects;
  const filled = { records: 0, objects: 0 };
  const progress = showProgress('filling ', total);
  const show = () => progress.update(filled.records + filled.objects, describeFilling(filled));
  const timer = setInterval(show, 100);
  try {
    await fillTenant(tenant, source, { ...stores, filled, signal });
    await fillTenant(other.id, otherSource, { ...stores, filled, signal }, (id, keys) => other.remember(id, keys));
  } finally {
    clearInterval(timer);
    show();
    progress.stop();
  }
  console.log(
    `${tenant} has ${describeFilling(source)}; ${other.id}, to be left alone, ${describeFilling(other.size)}`,
  );
}

async function deleteAll(client: JobClient, { source, signal }: DemoOptions): Promise<{ job: Job; seconds: number }> {
  const began = Date.now();
  const id = await client.deleteAllReceipts();
  console.log(`POST /api/jobs answered 202: job ${id}`);
  const progress = showProgress('deleting', source.records + source.objects);
  const show = (job: Job) =>
    progress.update(job.progress.processed + job.progress.objects.purged, describeJob(job, source, Date.now()));
  try {
    const job = await followJob(client, id, show, { signal });
    return { job, seconds: Math.round((Date.now() - began) / 100) / 10 };
  } finally {
    progress.stop();
  }
}

function countsOf({ records, objects }: ReceiptSource, { progress }: Job) {
  return { records, objects, deleted: progress.succeeded, purged: progress.objects.purged };
}

async function lookAtStores(
  tenant: string,
  other: OtherTenant,
  { records, bucket }: Stores,
  reported: Pick<Outcome, 'records' | 'objects' | 'deleted' | 'purged' | 'seconds'>,
): Promise<Outcome> {
  const { seconds, ...counts } = reported;
  return {
    ...counts,
    remaining_records: await records.count(tenant),
    remaining_objects: (await bucket.keys(prefixOf(tenant))).length,
    other_tenant_intact: await other.isIntact(records, bucket),
    seconds,
  };
}

async function tidy(tenants: readonly string[], { records, bucket }: Stores): Promise<void> {
  for (const tenant of tenants) {
    await records.removeAll(tenant);
    await bucket.removeAll(prefixOf(tenant));
  }
}

function summaryOf(tenant: string, other: OtherTenant, outcome: Outcome, wrong: readonly string[]): string {
  const { deleted, purged, remaining_records, remaining_objects, other_tenant_intact, seconds } = outcome;
  const remaining = `${count(remaining_records, 'record')} and ${count(remaining_objects, 'object')} of ${tenant}`;
  return `
  deleted    ${count(deleted, 'record')} and ${count(purged, 'object')} in ${seconds} s, says the API
  remaining  ${remaining}, say database and bucket
  untouched  ${other.id}, ${other_tenant_intact ? 'whole' : 'NOT whole'}: ${describeFilling(other.size)}
${wrong.map((line) => `  WRONG      ${line}\n`).join('')}`;
}
