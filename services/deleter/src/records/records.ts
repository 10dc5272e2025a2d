import type { Bound, ErrorInfo, InBucket, IndexKeys, ResourceDefinition, WireId } from '@expunge/contracts';
import type { Plan } from '../deletion-job/deletion-job.js';
import type { Page } from '../deletion-job/plan-batch.js';
import type { Aftermath } from '../deletion-job/resolve-plan.js';
import type { Scope } from './record-filters.js';
import type { RecordsClock } from './records-clock.js';

export type DeleteOutcome =
  /**
   * The server answered, and began before the deadline: nobody is deleting by this plan any more. `refused`: because of
   * some record of the plan, and will do so again; others may have gone before it came to that one.
   */
  | { answered: true; refused?: ErrorInfo }
  /** The clock may have refused it. Not a look-up and not a pass: a take-over, after the deadline. */
  | { answered: false };

/** What a `TransientError` of the records' server says, to be told from those of the deleter's own stores. */
export const RECORDS_UNAVAILABLE = 'RECORDS_UNAVAILABLE';

/**
 * The user's records. Every call may throw `TransientError(RECORDS_UNAVAILABLE)`; after a delete that threw, its
 * outcome is unknown.
 */
export interface Records {
  clock(): Promise<RecordsClock>;
  missingIndexes(resource: ResourceDefinition): Promise<IndexKeys[]>;
  /** Records that existed at the request: by its time where the resource says when a record was made, else by the greatest id. */
  bound(resource: ResourceDefinition, tenant: string, requestedAt: Date): Promise<Bound>;
  /** Null where counting takes longer than that, 2 s if not given: a percentage is never waited for. */
  count(resource: ResourceDefinition, scope: Scope, withinMs?: number): Promise<number | null>;
  /** Stops at the limit; null where counting so far takes too long. */
  countUpTo(resource: ResourceDefinition, scope: Scope, limit: number): Promise<number | null>;
  /** By how many of a thousand records of the collection match. */
  estimate(resource: ResourceDefinition, scope: Scope): Promise<number>;
  /** The tenant's records that no job can mean, since their `_id` is of another type than declared; null as for `count`. */
  countOtherTypes(resource: ResourceDefinition, scope: Scope): Promise<number | null>;
  /** Which of these keys some record refers to: of that resource, or of any other whose keys are shared and may be in that bucket. */
  referred(keys: readonly string[], of: { resource: string | undefined } & InBucket): Promise<Set<string>>;
  /** `window`: that of the page which closed at the cursor, if it did not see it to its end. */
  page(
    resource: ResourceDefinition,
    scope: Scope,
    cursor: WireId | null,
    limit: number,
    window: WireId | null,
  ): Promise<Page>;
  delete(resource: ResourceDefinition, scope: Scope, plan: Plan, clock: RecordsClock): Promise<DeleteOutcome>;
  /** Asked only after the plan's delete was answered, or its deadline has passed. */
  aftermath(resource: ResourceDefinition, scope: Scope, plan: Plan): Promise<Aftermath>;
}

export const RECORDS = Symbol('Records');
