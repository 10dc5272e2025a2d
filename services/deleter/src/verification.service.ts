import {
  inBucket,
  ObjectCheckRequested,
  objectCheckId,
  Positions,
  positions,
  type RecordsVerified,
  type ResourceDefinition,
  type VerificationRequested,
  type WireId,
} from '@expunge/contracts';
import { ConflictError, type Publisher } from '@expunge/messaging';
import type { Logger } from 'pino';
import { type DeletionJob, requestOf } from './deletion-job/deletion-job.js';
import { SOURCE } from './deletion-job/emit.js';
import { chunksOf, isVerifiable, recordsVerified, SAMPLE_KEYS, sampleOf } from './deletion-job/verify-job.js';
import { HeldJob } from './held-job.js';
import type { EventStore } from './jobs/event-store.repository.js';
import type { JobRepository } from './jobs/job.repository.js';
import type { LeftoversRepository } from './jobs/leftovers.repository.js';
import type { Outbox } from './outbox.service.js';
import type { Records } from './records/records.js';
import type { Scope } from './records/record-filters.js';
import { resourceOf } from './resource-of.js';
import { scopeOf } from './scope-of.js';

const PAGE = 1000;
/** Of the look through the records: what matches by then is reported as at least so much. */
const LOOK_FOR_MS = 20_000;
const FIRST_LEFT = 100;
/** Published for one request; the monitor asks again for the chunks it misses. */
const MOST_BYTES = 16_000_000;

/** Looks for what a finished job has left: in the records here, in the bucket by the storage-cleaner. */
export class VerificationService {
  constructor(
    private readonly jobs: JobRepository,
    private readonly records: Records,
    private readonly leftovers: LeftoversRepository,
    private readonly events: EventStore,
    private readonly outbox: Outbox,
    private readonly publisher: Publisher,
    private readonly resources: ReadonlyMap<string, ResourceDefinition>,
    private readonly options: { instance: string; log: Logger },
  ) {}

  /**
   * Asked for an end of the job that is not its last, it does nothing: whoever asked will learn of the retry.
   * @throws ConflictError somebody else wrote the job at the end, when all is done
   * @throws TransientError a store or the broker is away
   */
  async take(request: VerificationRequested): Promise<void> {
    const { finished, chunks } = request.data;
    const held = await this.verified(request.subject, finished);
    if (!held) return;
    // First: the outbox may be emptied by any slice that was due, and with that conflict this message is over.
    await this.askForKeys(held.job, finished, chunks);
    await held.settle();
  }

  /** The job with its records looked for, once for each end; null: that is not its end, or not any more. */
  private async verified(id: string, finished: number): Promise<HeldJob | null> {
    // Whoever wrote the job meanwhile may only have emptied the outbox of its end.
    for (;;) {
      const job = await this.jobs.read(id);
      if (!job || !isVerifiable(job, finished)) return null;
      const held = new HeldJob(job, this.jobs, this.outbox);
      if (job.verified === finished) return held;
      const found = await this.look(job);
      const { instance, log } = this.options;
      try {
        await held.write(recordsVerified(job, found, { instance, now: new Date() }));
      } catch (error) {
        if (error instanceof ConflictError) continue;
        throw error;
      }
      const { left, otherTypes, isComplete } = found;
      log.info({ job: job.id, left, otherTypes, isComplete }, 'looked for records that are left');
      return held;
    }
  }

  private async look(job: DeletionJob): Promise<Parameters<typeof recordsVerified>[1]> {
    const resource = resourceOf(job, this.resources);
    const scope = scopeOf(job);
    const [left, otherTypes] = await Promise.all([
      this.left(job, resource, scope),
      this.records.countOtherTypes(resource, scope),
    ]);
    return { ...left, otherTypes };
  }

  private async left(
    job: DeletionJob,
    resource: ResourceDefinition,
    scope: Scope,
  ): Promise<Pick<RecordsVerified['data'], 'left' | 'firstLeft' | 'isComplete'>> {
    const endsAt = performance.now() + LOOK_FOR_MS;
    const firstLeft: WireId[] = [];
    let left = 0;
    let cursor: WireId | null = null;
    let window: WireId | null = null;
    while (performance.now() < endsAt) {
      const page = await this.records.page(resource, scope, cursor, PAGE, window);
      const ids = page.records.map(({ id }) => id);
      const failures = ids.length === 0 ? new Set<string>() : await this.leftovers.knownFailures(job.id, ids);
      const found = ids.filter((id) => !failures.has(String(id)));
      left += found.length;
      firstLeft.push(...found.slice(0, FIRST_LEFT - firstLeft.length));
      if (page.closesAt === null) return { left, firstLeft, isComplete: true };
      cursor = page.closesAt;
      window = page.window;
    }
    return { left, firstLeft, isComplete: false };
  }

  private async askForKeys(job: DeletionJob, finished: number, wanted: Positions | undefined): Promise<void> {
    const last = chunksOf(job);
    let bytes = 0;
    for (const chunk of positions.each(wanted ?? (last === 0 ? [] : [[1, last]]))) {
      if (chunk < 1 || chunk > last || bytes > MOST_BYTES) return;
      const batches = await this.keysOf(job, chunk);
      const message = ObjectCheckRequested.create({
        id: objectCheckId(job.id, finished, chunk),
        source: SOURCE,
        subject: job.id,
        time: new Date().toISOString(),
        tenantid: job.tenant,
        data: { finished, chunk, batches },
      });
      bytes += JSON.stringify(message).length;
      await this.publisher.publish(message);
    }
  }

  private async keysOf(job: DeletionJob, chunk: number): Promise<ObjectCheckRequested['data']['batches']> {
    if (requestOf(job).options.verify !== 'full') {
      const { numbers, keysEach } = sampleOf(job.totals.batches);
      return this.events.someKeysOf(job.id, numbers, keysEach, SAMPLE_KEYS);
    }
    const { objectKeys, bucket } = await this.events.keysOf(job.id, chunk);
    if (objectKeys.length === 0) return [];
    return [{ batch: chunk, positions: [[0, objectKeys.length - 1]], objectKeys, ...inBucket(bucket) }];
  }
}
