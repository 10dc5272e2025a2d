import { BatchDeleted, inBucket } from '@expunge/contracts';
import { batchLimitAfter, halfOf } from './batch-limit.js';
import { type DeletionJob, type Plan, withLane } from './deletion-job.js';
import { emit } from './emit.js';
import { paceAt } from './pace.js';

/** What was found once nobody could be deleting by the plan any more. */
export interface Aftermath {
  /** Planned records that still stand, by id as text, with the keys they refer to now; null where those cannot be read. */
  standing: ReadonlyMap<string, string[] | null>;
  /** Planned keys that some record, of any resource that may be on the bucket, still refers to. */
  referred: ReadonlySet<string>;
  /** Of the referred keys: those that a record outside this job holds. */
  heldOutside: ReadonlySet<string>;
}

export interface Consequence {
  gone: number;
  objectKeys: string[];
  /** Keys of deleted records that stay because a record outside the job refers to them. */
  kept: string[];
}

/** Which keys may be purged: those of the plan to which nothing that stands refers. */
export function consequenceOf(plan: Plan, aftermath: Aftermath): Consequence {
  const held = new Set(aftermath.referred);
  const ofGone = new Set<string>();
  let gone = 0;
  for (const record of plan.records) {
    const now = aftermath.standing.get(String(record.id));
    if (now === undefined) {
      gone += 1;
      for (const key of record.keys) ofGone.add(key);
    } else {
      for (const key of now ?? record.keys) held.add(key);
    }
  }
  const planned = [...new Set(plan.records.flatMap((record) => record.keys))];
  return {
    gone,
    objectKeys: planned.filter((key) => !held.has(key)),
    kept: planned.filter((key) => ofGone.has(key) && aftermath.heldOutside.has(key)),
  };
}

/**
 * The plan's one resolution: cursor, totals and the event in one write. A plan of which nothing came emits nothing.
 * `newlyRetained` are those of `kept` that no earlier batch of the job has named.
 * `wasRefused`: the server refused the delete, so the cursor stays before what stands, to be planned in smaller batches.
 */
export function resolvePlan(
  job: DeletionJob,
  consequence: Consequence,
  facts: {
    newlyRetained: string[];
    instance: string;
    now: Date;
    recordsNow: Date;
    wasRefused?: boolean;
    deleteMs?: number;
  },
): DeletionJob {
  const [lane] = job.lanes;
  const { plan } = lane;
  if (!plan) throw new Error(`job ${job.id} has no plan to resolve`);
  const { gone, objectKeys } = consequence;
  const { newlyRetained, instance, now, recordsNow, deleteMs = null } = facts;
  const { failures } = plan;
  const standing = plan.records.length - gone;
  const isSplit = facts.wasRefused === true && standing > 0;
  const passed = isSplit ? gone : plan.records.length;
  const worthTelling = gone > 0 || failures.length > 0 || objectKeys.length > 0;
  const totals = {
    batches: job.totals.batches + (worthTelling ? 1 : 0),
    succeeded: job.totals.succeeded + gone,
    failed: job.totals.failed + failures.length,
    objects: job.totals.objects + objectKeys.length,
    retained: job.totals.retained + newlyRetained.length,
  };
  const resolved = withLane(
    { ...job, totals },
    {
      cursor: isSplit ? lane.cursor : plan.closesAt,
      plan: null,
      batchLimit: isSplit ? halfOf(standing) : batchLimitAfter(job, { gone, planned: plan.records.length, deleteMs }),
      attempt: 0,
      strikes: 0,
      waiting: null,
      noProgress: null,
      paceAt: paceAt(job.maxRecordsPerSecond, passed, recordsNow),
      pass: { ...lane.pass, found: lane.pass.found + passed, deleted: lane.pass.deleted + gone },
    },
  );
  if (!worthTelling) return resolved;
  return emit<BatchDeleted>(
    resolved,
    BatchDeleted,
    {
      batch: totals.batches,
      count: gone,
      objectKeys,
      retained: newlyRetained,
      failures,
      totals,
      instance,
      turn: lane.turn,
      startedAt: plan.startedAt.toISOString(),
      ...inBucket(plan.bucket),
    },
    now,
  );
}
