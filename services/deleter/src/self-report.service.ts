import type { MissingIndex, ResourceDefinition } from '@expunge/contracts';
import type { Activity } from '@expunge/runtime';
import type { JobRepository } from './jobs/job.repository.js';
import { createCommand } from './records/indexes.js';
import type { Records } from './records/records.js';
import type { SharedLimit } from './shared-limit.service.js';

const EVERY_MS = 5000;
const RECENT_MS = 10 * 60_000;
const AT_ONCE = 500;

/** What the deleter's heartbeat adds: how far each recent job's events go, which indexes the records lack, the limit of all. */
export class SelfReport {
  private timer: NodeJS.Timeout | undefined;
  private sequences: Record<string, number> = {};
  private missingIndexes: MissingIndex[] | null = null;

  constructor(
    private readonly jobs: JobRepository,
    private readonly records: Records,
    private readonly resources: ReadonlyMap<string, ResourceDefinition>,
    private readonly limit: SharedLimit,
    private readonly activity: Activity,
  ) {}

  start(): void {
    this.activity.contribute(() => ({
      sequences: this.sequences,
      missingIndexes: this.missingIndexes,
      sharedLimit: this.limit.told(),
    }));
    this.timer = setInterval(() => void this.refresh(), EVERY_MS);
    void this.refresh();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async refresh(): Promise<void> {
    const [sequences, missing] = await Promise.allSettled([
      this.jobs.sequencesSince(new Date(Date.now() - RECENT_MS), AT_ONCE),
      Promise.all([...this.resources.values()].map((resource) => this.missingOf(resource))),
    ]);
    if (sequences.status === 'fulfilled') this.sequences = sequences.value;
    this.missingIndexes = missing.status === 'fulfilled' ? missing.value.flat() : null;
  }

  private async missingOf(resource: ResourceDefinition): Promise<MissingIndex[]> {
    const missing = await this.records.missingIndexes(resource);
    return missing.map((keys) => ({ resource: resource.name, keys, command: createCommand(resource, keys) }));
  }
}
