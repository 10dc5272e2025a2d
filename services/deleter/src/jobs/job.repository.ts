import { ConflictError } from '@expunge/messaging';
import { asStoreError, isFirst } from '@expunge/runtime/store';
import { withCurrentTrace } from '@expunge/telemetry';
import type { Collection, Db } from 'mongodb';
import type { RequestRefused } from '@expunge/contracts';
import { type DeletionJob, type DeletionState, dueAt, type Pending } from '../deletion-job/deletion-job.js';

/** The job as stored: `dueAt` is derived, for the watchdog's query. */
type Stored = Omit<DeletionJob, 'id'> & { _id: string; dueAt: Date | null };

const UNAVAILABLE = 'JOBS_UNAVAILABLE';

/** The deleter's documents. Every change is a compare-and-set on `revision`. */
export class JobRepository {
  private readonly jobs: Collection<Stored>;

  constructor(db: Db) {
    this.jobs = db.collection<Stored>('jobs');
  }

  async createIndexes(): Promise<void> {
    await this.jobs.createIndexes([
      { key: { dueAt: 1 }, partialFilterExpression: { dueAt: { $type: 'date' } } },
      { key: { writtenAt: 1 } },
    ]);
  }

  async read(id: string): Promise<DeletionJob | null> {
    const stored = await asStoreError(UNAVAILABLE, () => this.jobs.findOne({ _id: id }));
    return stored && fromStored(stored);
  }

  /** False when there is one already. */
  insert(job: DeletionJob): Promise<boolean> {
    return isFirst(() =>
      asStoreError(UNAVAILABLE, () => this.jobs.insertOne(toStored(job), { ignoreUndefined: true })),
    );
  }

  /**
   * Writes `change` over the document as it was read.
   * @throws ConflictError somebody else wrote since
   */
  async write(change: DeletionJob): Promise<DeletionJob> {
    const job: DeletionJob = { ...change, revision: change.revision + 1, writtenAt: new Date() };
    const { matchedCount } = await asStoreError(UNAVAILABLE, () =>
      this.jobs.replaceOne({ _id: job.id, revision: change.revision }, toStored(job), { ignoreUndefined: true }),
    );
    if (matchedCount === 0) throw new ConflictError(`job ${job.id} moved on from revision ${change.revision}`);
    return job;
  }

  /**
   * Puts a request before everything else that may write the job: the one write that asks for no revision, so that it
   * always wins. Every slice at work loses its place. Without `pending` it only has a refusal told.
   * @returns null: the job is in another state by now, or a request was given, answered or refused since it was read
   */
  async fence(
    job: DeletionJob,
    fence: { request: string; pending: Pending | null; during: DeletionState; refusal: RequestRefused | null },
  ): Promise<DeletionJob | null> {
    const { request, pending, during } = fence;
    const refusal = fence.refusal && withCurrentTrace(fence.refusal);
    const outbox = refusal ? [...job.outbox, refusal] : job.outbox;
    const fenced: DeletionJob = { ...job, state: during, pending, outbox, writtenAt: new Date() };
    const stored = await asStoreError(UNAVAILABLE, () =>
      this.jobs.findOneAndUpdate(
        {
          _id: job.id,
          state: job.state,
          answered: { $ne: request },
          'appliedAt.state': job.appliedAt.state,
          'appliedAt.rate': job.appliedAt.rate,
          ...(job.pending === null ? { pending: null } : { 'pending.id': job.pending.id }),
        },
        {
          $set: { state: during, pending, writtenAt: fenced.writtenAt, dueAt: dueAt(fenced) },
          $inc: { revision: 1, 'lanes.0.turn': 1 },
          ...(refusal && { $push: { outbox: refusal, answered: refusal.data.requestId } }),
        },
        { returnDocument: 'after', ignoreUndefined: true },
      ),
    );
    return stored && fromStored(stored);
  }

  /**
   * Removes the document as it was read.
   * @throws ConflictError somebody wrote it since, or removed it
   */
  async remove({ id, revision }: DeletionJob): Promise<void> {
    const { deletedCount } = await asStoreError(UNAVAILABLE, () => this.jobs.deleteOne({ _id: id, revision }));
    if (deletedCount === 0) throw new ConflictError(`job ${id} moved on from revision ${revision}`);
  }

  /** Says that somebody is at the job, unless it moved on; see HeldJob.keepAlive. */
  async touch(job: DeletionJob): Promise<void> {
    const writtenAt = new Date();
    await asStoreError(UNAVAILABLE, () =>
      this.jobs.updateOne(
        { _id: job.id, revision: job.revision },
        {
          $set: {
            writtenAt,
            dueAt: dueAt({ ...job, writtenAt }),
            'lanes.0.noProgress': job.lanes[0].noProgress,
          },
        },
      ),
    );
  }

  /** Jobs that are not at rest and that nobody has written for longer than a slice and its deadline can take. */
  async overdue(now: Date, limit: number): Promise<{ id: string; turn: number }[]> {
    const found = await asStoreError(UNAVAILABLE, () =>
      this.jobs
        .find({ dueAt: { $type: 'date', $lte: now } }, { projection: { 'lanes.turn': 1 }, sort: { dueAt: 1 }, limit })
        .toArray(),
    );
    return found.map((job) => ({ id: job._id, turn: job.lanes[0].turn }));
  }

  /** How many jobs are not at rest. */
  countUnderWay(): Promise<number> {
    return asStoreError(UNAVAILABLE, () => this.jobs.countDocuments({ dueAt: { $type: 'date' } }));
  }

  /** The last sequence of each job written since then. */
  async sequencesSince(since: Date, limit: number): Promise<Record<string, number>> {
    const found = await asStoreError(UNAVAILABLE, () =>
      this.jobs
        .find({ writtenAt: { $gt: since } }, { projection: { sequence: 1 }, sort: { writtenAt: -1 }, limit })
        .toArray(),
    );
    return Object.fromEntries(found.filter((job) => job.sequence > 0).map((job) => [job._id, job.sequence]));
  }
}

function toStored(job: DeletionJob): Stored {
  const { id, ...rest } = job;
  return { _id: id, ...rest, dueAt: dueAt(job) };
}

/** What documents of an earlier release lack. */
const addedLater = { finished: null, verified: null, purgeRound: 0, purgesDue: false, traceparent: null } as const;

function fromStored(stored: Stored): DeletionJob {
  const { _id: id, dueAt: _, ...rest } = stored;
  return { id, ...addedLater, ...rest };
}
