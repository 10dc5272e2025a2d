import { isDeepStrictEqual } from 'node:util';
import {
  type Bound,
  type DeleteRequested,
  DRY_RUN_SAMPLE,
  type ErrorInfo,
  type JobOptions,
  keyPrefixOf,
  type ResourceDefinition,
  type WireId,
} from '@expunge/contracts';
import { type Brake, brakeAtStart, type Counted, countedUpTo, type Sampled, sampleOf } from './deletion-job/brakes.js';
import { failureOf, keyBytes } from './deletion-job/plan-batch.js';
import type { JobRepository } from './jobs/job.repository.js';
import type { Scope } from './records/record-filters.js';
import type { Records } from './records/records.js';

/** Keys in what a dry run shows: it is part of the job wherever that is read. */
const SAMPLE_BYTES = 64_000;
/** Pages without a record that a dry run looks through for one to show. */
const MOST_PAGES = 20;
const DRY_RUN_COUNT_MS = 30_000;

/** What is looked at before a job may delete anything. */
export class BrakesService {
  constructor(
    private readonly jobs: JobRepository,
    private readonly records: Records,
    private readonly options: { confirmAbove: number },
  ) {}

  /** The dry run's whose job the request names, or the request's own. */
  async bound(request: DeleteRequested, resource: ResourceDefinition): Promise<{ bound: Bound } | ErrorInfo> {
    const { tenantid: tenant = '', time, data } = request;
    const { basedOn } = data.options;
    if (basedOn === undefined) return { bound: await this.records.bound(resource, tenant, new Date(time)) };
    const dryRun = await this.jobs.read(basedOn);
    const asked = dryRun?.tenant === tenant && dryRun.state === 'dry-run-finished' ? dryRun.request : null;
    const wrong = (why: string) => ({ code: 'BASED_ON_MISMATCH', message: `based_on ${basedOn} ${why}` });
    if (!dryRun || !asked) return wrong('is no dry run that has finished');
    if (asked.resource !== data.resource) return wrong(`is of ${asked.resource}`);
    if (!isDeepStrictEqual(asked.selection, data.selection)) return wrong('has another selection');
    return { bound: dryRun.bound };
  }

  /** `counted`: no further than that takes to tell; null where it could not be counted in time. */
  async atStart(
    options: JobOptions,
    resource: ResourceDefinition,
    scope: Scope,
    total: number | null,
  ): Promise<{ brake: Brake; counted: Counted | null }> {
    const counted = await this.counted(options, resource, scope, total);
    return { brake: brakeAtStart(options, counted, this.options.confirmAbove), counted };
  }

  private async counted(
    options: JobOptions,
    resource: ResourceDefinition,
    scope: Scope,
    total: number | null,
  ): Promise<Counted | null> {
    if (total !== null) return { records: total, isAll: true };
    const limit = countedUpTo(options, this.options.confirmAbove);
    const records = limit === null ? null : await this.records.countUpTo(resource, scope, limit);
    return records === null ? null : { records, isAll: limit !== null && records < limit };
  }

  async dryRun(
    resource: ResourceDefinition,
    scope: Scope,
    total: number | null,
  ): Promise<{ counted: Counted; sample: Sampled[] }> {
    const sample = await this.sample(resource, scope);
    const records = total ?? (await this.records.count(resource, scope, DRY_RUN_COUNT_MS));
    if (records !== null) return { counted: { records, isAll: true }, sample };
    const estimate = Math.max(await this.records.estimate(resource, scope), sample.length);
    return { counted: { records: estimate, isAll: false }, sample };
  }

  private async sample(resource: ResourceDefinition, scope: Scope): Promise<Sampled[]> {
    const prefix = keyPrefixOf(resource, scope.tenant);
    const sample: Sampled[] = [];
    let cursor: WireId | null = null;
    let window: WireId | null = null;
    let bytes = 0;
    for (let pages = 0; pages < MOST_PAGES && sample.length < DRY_RUN_SAMPLE; pages++) {
      const page = await this.records.page(resource, scope, cursor, DRY_RUN_SAMPLE - sample.length, window);
      for (const record of page.records) {
        const keys = record.keys.readable ? record.keys.keys : [];
        bytes += keyBytes(keys);
        if (bytes > SAMPLE_BYTES && sample.length > 0) return sample;
        // A single record may own more than is shown of all together.
        const shown = bytes > SAMPLE_BYTES ? [] : keys;
        sample.push(sampleOf(record.id, shown, failureOf(record, prefix)));
      }
      if (page.closesAt === null) break;
      cursor = page.closesAt;
      window = page.window;
    }
    return sample;
  }
}
