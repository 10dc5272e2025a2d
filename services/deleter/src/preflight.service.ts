import type { ResourceDefinition } from '@expunge/contracts';
import { TransientError } from '@expunge/messaging';
import { type CheckQuestions, sharedFor } from '@expunge/runtime';
import { deletesRefused, type Obstacle, obstacleInBucket, obstacleInKeys } from './deletion-job/preflight.js';
import type { FailureLimits } from './deletion-job/too-many-failures.js';
import type { ResourceProbe } from './records/resource-probe.repository.js';

/** Less than a delivery of a slice may be held without a word. */
const ANSWERED_WITHIN_MS = 3_000;
/** Jobs that begin together look once. */
const GOOD_FOR_MS = 60_000;

/** Looks, before anything of a job goes, at what a deletion of its resource needs. */
export class Preflight {
  private readonly looks = new Map<string, () => Promise<Obstacle | null>>();

  constructor(
    private readonly probe: Pick<ResourceProbe, 'tryDelete' | 'sampleKeys'>,
    private readonly questions: Pick<CheckQuestions, 'ask'>,
    private readonly options: { failures: FailureLimits },
  ) {}

  /**
   * @returns null: nothing stands in the way, or stood in it a minute ago
   * @throws TransientError the records' server is away
   */
  obstacle(resource: ResourceDefinition): Promise<Obstacle | null> {
    const { name } = resource;
    const isNone = (obstacle: Obstacle | null) => obstacle === null;
    const look = this.looks.get(name) ?? sharedFor(GOOD_FOR_MS, () => this.look(resource), isNone);
    this.looks.set(name, look);
    return look();
  }

  private async look(resource: ResourceDefinition): Promise<Obstacle | null> {
    try {
      await this.probe.tryDelete(resource);
    } catch (error) {
      if (error instanceof TransientError) throw error;
      return deletesRefused(error instanceof Error ? error.message : String(error));
    }
    if (resource.objectKeyPaths.length === 0) return null;
    const ofKeys = obstacleInKeys(resource, await this.probe.sampleKeys(resource), this.options.failures);
    if (ofKeys) return ofKeys;
    const answers = await this.questions.ask(resource, ['storage-cleaner'], ANSWERED_WITHIN_MS);
    return obstacleInBucket(resource, answers.get('storage-cleaner')?.checks ?? null);
  }
}
