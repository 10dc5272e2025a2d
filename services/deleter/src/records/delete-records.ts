import type { ResourceDefinition } from '@expunge/contracts';
import { asStoreError } from '@expunge/runtime/store';
import type { Collection } from 'mongodb';
import { type Plan, type PlannedRecord, timing } from '../deletion-job/deletion-job.js';
import { deleteFilter, type Scope } from './record-filters.js';
import { type DeleteOutcome, RECORDS_UNAVAILABLE } from './records.js';
import type { RecordsClock } from './records-clock.js';
import { exact } from './references.repository.js';
import { refusalIn } from './refusal.js';

/** Under way at once: a server deletes the records of one call one after another. */
const CALLS = 2;
/** Of fewer records one more call costs more than it spares. */
const FEWEST = 250;

/**
 * Deletes by the plan, a large one in two calls at once. What came of it is known once it is known of each.
 * @throws TransientError the outcome of one is unknown, and another may be under way until the plan's deadline
 */
export async function deleteRecords(
  collection: Collection,
  resource: ResourceDefinition,
  scope: Scope,
  plan: Plan,
  clock: RecordsClock,
): Promise<DeleteOutcome> {
  const outcomes = await Promise.all(
    inCalls(plan.records).map((records) => deletePart(collection, resource, scope, { ...plan, records }, clock)),
  );
  return outcomes.find(({ answered }) => !answered) ?? outcomes.find(isRefused) ?? { answered: true };
}

/** The records of each call, in their order. */
export function inCalls(records: readonly PlannedRecord[]): PlannedRecord[][] {
  const calls = Math.max(1, Math.min(CALLS, Math.floor(records.length / FEWEST)));
  const size = Math.ceil(records.length / calls);
  return Array.from({ length: calls }, (_, i) => records.slice(i * size, (i + 1) * size));
}

async function deletePart(
  collection: Collection,
  resource: ResourceDefinition,
  scope: Scope,
  part: Plan,
  clock: RecordsClock,
): Promise<DeleteOutcome> {
  try {
    const { deletedCount } = await asStoreError(RECORDS_UNAVAILABLE, () =>
      collection.deleteMany(deleteFilter(resource, scope, part), { ...exact, maxTimeMS: timing.maxTime }),
    );
    return { answered: deletedCount === part.records.length || clock.latest() < part.until };
  } catch (error) {
    const refused = refusalIn(error);
    if (!refused) throw error;
    return { answered: true, refused };
  }
}

const isRefused = (outcome: DeleteOutcome): boolean => 'refused' in outcome;
