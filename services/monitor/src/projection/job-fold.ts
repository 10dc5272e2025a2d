import { derived, told } from './evolve.js';
import type { JobProjection } from './job.js';
import type { Recorded } from './recorded.js';

/**
 * Folds many events of a job, as `evolve` does one after the other. What cannot be folded is left out: the running fold
 * has parked its message.
 */
export class JobFold {
  constructor(
    private folded: JobProjection | null = null,
    private readonly leftOut: (event: Recorded, error: unknown) => void = () => undefined,
  ) {}

  add(event: Recorded): void {
    try {
      this.folded = told(this.folded, event);
    } catch (error) {
      this.leftOut(event, error);
    }
  }

  /** Null: no event of it yet. */
  get job(): JobProjection | null {
    return this.folded && derived(this.folded);
  }
}
