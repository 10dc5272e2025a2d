import { type ErrorInfo, keyPrefixOf, type ResourceDefinition, type WireId } from '@expunge/contracts';
import { attribute, counter, durations, inSpan, metric, secondsSince, spanName } from '@expunge/telemetry';
import type { Logger } from 'pino';
import { batchSizeOf } from './deletion-job/batch-limit.js';
import type { DeletionJob, Plan } from './deletion-job/deletion-job.js';
import { deletableUntil, type FullPage, type Page, planBatch } from './deletion-job/plan-batch.js';
import { refusedAlone, refuseRecord } from './deletion-job/refuse-record.js';
import { type Consequence, consequenceOf, resolvePlan } from './deletion-job/resolve-plan.js';
import type { HeldJob } from './held-job.js';
import type { LeftoversRepository } from './jobs/leftovers.repository.js';
import type { Records } from './records/records.js';
import type { RecordsClock } from './records/records-clock.js';
import { scopeOf } from './scope-of.js';

/** Of one slice. */
export interface BatchContext {
  resource: ResourceDefinition;
  clock: RecordsClock;
  owner: string;
  /** The window of ids that the page after `from` is read in, where the page before it knew. */
  window: { from: WireId; end: WireId } | null;
}

/** A queue may stand for hours before. */
const firstBatchSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 43_200];

/** Plan, delete, look, resolve: the steps of one batch against the stores. */
export class BatchService {
  private readonly durations = durations(metric.batchDuration, 'Time to delete one batch of records');
  private readonly counts = counter(metric.records, 'Records by what became of them', '{record}');
  private readonly firstBatch = durations(
    metric.firstBatch,
    'From a request to its first deleted batch',
    firstBatchSeconds,
  );

  constructor(
    private readonly records: Records,
    private readonly leftovers: LeftoversRepository,
    private readonly instance: string,
    /** Records a second of all jobs together; null: no limit. */
    private readonly sharedRate: number | null = null,
  ) {}

  /** The next page, without the records this job has given up on. */
  page(job: DeletionJob, context: BatchContext, cursor: WireId | null): Promise<Page> {
    return inSpan(spanName.plan, { attributes: { [attribute.job]: job.id } }, async (span) => {
      const page = await this.read(job, context, cursor);
      span.setAttribute(attribute.records, page.records.length);
      return page;
    });
  }

  private async read(job: DeletionJob, context: BatchContext, cursor: WireId | null): Promise<Page> {
    const window = context.window?.from === cursor ? context.window.end : null;
    const size = batchSizeOf(job, this.sharedRate);
    const page = await this.records.page(context.resource, scopeOf(job), cursor, size, window);
    context.window = page.closesAt === null || page.window === null ? null : { from: page.closesAt, end: page.window };
    if (job.totals.failed === 0 || page.records.length === 0) return page;
    const known = await this.leftovers.knownFailures(
      job.id,
      page.records.map((record) => record.id),
    );
    return { ...page, records: page.records.filter((record) => !known.has(String(record.id))) };
  }

  /** Whether it is not more than the next batch of the job may have. */
  fits(job: DeletionJob, page: Page): boolean {
    return page.records.length <= batchSizeOf(job, this.sharedRate);
  }

  plan(job: DeletionJob, page: FullPage, context: BatchContext, writeMs: number): DeletionJob {
    const { resource, clock, owner } = context;
    const keyPrefix = keyPrefixOf(resource, job.tenant);
    const { bucket } = resource;
    const until = deletableUntil(clock.earliest(), writeMs);
    return planBatch(job, page, { owner, until, keyPrefix, bucket, now: new Date() });
  }

  /**
   * Deletes by the standing plan and finds out what came of it; the outbox goes out and the next page is read meanwhile.
   * Null: the delete may have been refused by the clock. `resolved` gives what is to be written of a job in which the
   * plan stands. A next page that cannot be read is null, too: it must not keep from being told what is already deleted.
   * `refused`: the server will not delete some record of the plan; `alone` is the job that notes it as a failure, where
   * there is no other record it could be about.
   */
  execute(held: HeldJob, context: BatchContext, readsAhead: boolean): Promise<Executed | null> {
    const { job } = held;
    const attributes = {
      [attribute.job]: job.id,
      [attribute.batch]: job.totals.batches + 1,
      [attribute.records]: planOf(job).records.length,
    };
    return inSpan(spanName.delete, { attributes }, () => this.executePlan(held, context, readsAhead));
  }

  private async executePlan(held: HeldJob, context: BatchContext, readsAhead: boolean): Promise<Executed | null> {
    const { resource, clock } = context;
    const plan = planOf(held.job);
    const began = performance.now();
    const meanwhile = Promise.all([
      held.flush(),
      readsAhead ? this.page(held.job, context, plan.closesAt).catch(() => null) : null,
    ]);
    // Whatever the delete throws is thrown first; this promise must not be the one nobody awaits.
    meanwhile.catch(() => undefined);
    let refused: ErrorInfo | null = null;
    let deleteMs: number | undefined;
    if (plan.records.length > 0) {
      const outcome = await this.records.delete(resource, scopeOf(held.job), plan, clock);
      if (!outcome.answered) {
        await meanwhile;
        return null;
      }
      refused = outcome.refused ?? null;
      deleteMs = performance.now() - began;
    }
    const how = { wasRefused: refused !== null, ...(deleteMs !== undefined && { deleteMs }) };
    const { resolved, consequence } = await this.resolution(held.job, resource, plan, clock, how);
    const [, readAhead] = await meanwhile;
    this.durations.record(secondsSince(began), { [attribute.resource]: resource.name });
    if (!refused) return { resolved, refused, alone: null, readAhead };
    const record = refusedAlone(held.job, consequence);
    // The page that was read ahead begins behind records that are to be planned again.
    return { resolved, refused, alone: record && refuseRecord(held.job, record, refused), readAhead: null };
  }

  /** Without another delete. Only once the plan's deadline has passed. */
  async resolveByReading({ job }: HeldJob, resource: ResourceDefinition, clock: RecordsClock): Promise<DeletionJob> {
    const { resolved } = await this.resolution(job, resource, planOf(job), clock);
    return resolved(job);
  }

  report(job: DeletionJob, log: Logger): void {
    const event = job.outbox.findLast((candidate) => candidate.type === 'BatchDeleted');
    if (!event) return;
    const { batch, count, failures, objectKeys, totals } = event.data;
    const done = totals.succeeded + totals.failed;
    const resource = job.request?.resource ?? '';
    this.counts.add(count, { [attribute.resource]: resource, [attribute.outcome]: 'deleted' });
    this.counts.add(failures.length, { [attribute.resource]: resource, [attribute.outcome]: 'failed' });
    if (batch === 1) this.firstBatch.record((Date.now() - Date.parse(job.requestedAt)) / 1000);
    const progress = job.total === null ? `${done}` : `${done}/${job.total} = ${percent(done, job.total)} %`;
    log.info({ batch, objects: objectKeys.length }, `${count} deleted, ${failures.length} failed (${progress})`);
  }

  private async resolution(
    job: DeletionJob,
    resource: ResourceDefinition,
    plan: Plan,
    clock: RecordsClock,
    how: { wasRefused?: boolean; deleteMs?: number } = {},
  ): Promise<{ resolved: Resolution; consequence: Consequence }> {
    const batch = job.totals.batches + 1;
    const aftermath = await this.records.aftermath(resource, scopeOf(job), plan);
    const consequence = consequenceOf(plan, aftermath);
    const [newlyRetained] = await Promise.all([
      this.leftovers.addRetained(job.id, batch, consequence.kept),
      this.leftovers.addFailures(job.id, batch, plan.failures),
    ]);
    const recordsNow = clock.latest();
    const resolved = (now: DeletionJob) => {
      const facts = { newlyRetained, instance: this.instance, now: new Date(), recordsNow, ...how };
      return resolvePlan(now, consequence, facts);
    };
    return { resolved, consequence };
  }
}

export interface Executed {
  resolved: Resolution;
  refused: ErrorInfo | null;
  alone: DeletionJob | null;
  /** As large as batches were before this one. */
  readAhead: Page | null;
}

/** The plan of the job that is given resolved, not written yet. */
export type Resolution = (job: DeletionJob) => DeletionJob;

function planOf(job: DeletionJob): Plan {
  const { plan } = job.lanes[0];
  if (!plan) throw new Error(`job ${job.id} has no plan`);
  return plan;
}

const percent = (part: number, whole: number): string => (whole === 0 ? '100.0' : ((100 * part) / whole).toFixed(1));
