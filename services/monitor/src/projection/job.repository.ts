import type { JobStatus } from '@expunge/contracts';
import { asStoreError, isFirst } from '@expunge/runtime/store';
import type { Collection, Db, Filter } from 'mongodb';
import type { JobProjection } from './job.js';
import type { MovedAt } from './moved.js';
import { deleting, mayDelete, setsGoing } from './status.js';

/**
 * `revision` grows with every write, `movedAt` says when a monitor last heard of progress. Neither is part of the
 * projection: a rebuild need not take as many writes, nor as long.
 */
type JobDocument = Omit<JobProjection, 'id'> & { _id: string; revision: number; movedAt?: MovedAt };

export interface StoredJob {
  job: JobProjection;
  revision: number;
  movedAt: MovedAt;
}

/** Where a page ends: the next one begins below it. */
export interface Cursor {
  listedAt: string;
  id: string;
}

/** Of a job that is gone. */
interface RemovalNote {
  /** The job. */
  _id: string;
  expiredAt: string;
  notedAt: Date;
}

/** How late an event of a job that is gone may come: redelivered, from a tier, or as the answer to a late request. */
const REMOVAL_NOTED_FOR_S = 7 * 86_400;

export interface JobsWanted {
  tenant: string;
  statuses: JobStatus[] | null;
  resource: string | null;
  before: Cursor | null;
  limit: number;
}

/** By what can be asked of the index: of the requests of one, `mayDelete` tells whether they were answered. */
export const perhapsDeleting = (after: string): Filter<JobDocument> => ({
  settled: false,
  $or: [{ status: { $in: [...deleting] } }, { 'requests.type': { $in: [...setsGoing] } }],
  tenant: { $type: 'string' },
  _id: { $gt: after },
});

const CODE = 'MONITOR_STORE_UNAVAILABLE';

export class JobRepository {
  private readonly jobs: Collection<JobDocument>;
  private readonly removals: Collection<RemovalNote>;

  constructor(db: Db) {
    this.jobs = db.collection<JobDocument>('jobs', { ignoreUndefined: true });
    this.removals = db.collection<RemovalNote>('removals');
  }

  async createIndexes(): Promise<void> {
    await this.jobs.createIndexes([
      { key: { tenant: 1, listedAt: -1, _id: -1 } },
      { key: { settled: 1, _id: 1 }, partialFilterExpression: { settled: false } },
      { key: { 'verdict.code': 1 }, partialFilterExpression: { 'verdict.code': { $type: 'string' } } },
      { key: { updatedAt: 1, _id: 1 }, partialFilterExpression: { settled: true } },
    ]);
    await this.removals.createIndexes([{ key: { notedAt: 1 }, expireAfterSeconds: REMOVAL_NOTED_FOR_S }]);
  }

  async read(id: string): Promise<StoredJob | null> {
    const found = await asStoreError(CODE, () => this.jobs.findOne({ _id: id }));
    return found && stored(found);
  }

  /** What stands by then; null when somebody else wrote since `expected` was read. Nothing expected: there was none. */
  async write(job: JobProjection, expected: number | null, movedAt: MovedAt = movedNow()): Promise<StoredJob | null> {
    const { id, ...rest } = job;
    const revision = (expected ?? 0) + 1;
    const document = { _id: id, ...rest, revision, movedAt };
    const isWritten = await asStoreError(CODE, async () => {
      if (expected === null) return isFirst(() => this.jobs.insertOne(document));
      return (await this.jobs.replaceOne({ _id: id, revision: expected }, document)).matchedCount === 1;
    });
    return isWritten ? { job, revision, movedAt } : null;
  }

  /** Newest first. A job that comes in meanwhile stands before the first page and moves none of the others. */
  async page({ tenant, statuses, resource, before, limit }: JobsWanted): Promise<JobProjection[]> {
    const conditions: Filter<JobDocument>[] = [{ tenant }];
    if (statuses) conditions.push({ status: { $in: statuses } });
    if (resource !== null) conditions.push({ 'request.resource': resource });
    if (before) {
      const { listedAt, id } = before;
      conditions.push({ $or: [{ listedAt: { $lt: listedAt } }, { listedAt, _id: { $lt: id } }] });
    }
    const found = await asStoreError(CODE, () =>
      this.jobs.find({ $and: conditions }).sort({ listedAt: -1, _id: -1 }).limit(limit).toArray(),
    );
    return found.map((document) => stored(document).job);
  }

  /**
   * Those of every tenant that may still delete a record, by id, of the next `limit` that may be such. `next`: behind
   * which there may be more; null: there are none.
   */
  async active(after: string, limit: number): Promise<{ jobs: { id: string; tenant: string }[]; next: string | null }> {
    const projection = { tenant: 1, status: 1, requests: 1, answers: 1 };
    const found = await asStoreError(CODE, () =>
      this.jobs.find(perhapsDeleting(after), { projection }).sort({ _id: 1 }).limit(limit).toArray(),
    );
    return {
      jobs: found.filter(mayDelete).map(({ _id: id, tenant }) => ({ id, tenant: tenant ?? '' })),
      next: found.length < limit ? null : (found.at(-1)?._id ?? null),
    };
  }

  /** Which of these there are, and of a tenant. */
  async known(ids: string[]): Promise<string[]> {
    const wanted = { _id: { $in: ids }, tenant: { $type: 'string' as const } };
    const found = await asStoreError(CODE, () => this.jobs.find(wanted, { projection: { _id: 1 } }).toArray());
    return found.map(({ _id }) => _id);
  }

  /** Of which something is still expected, or known to be missing. */
  async *unsettled(): AsyncGenerator<JobProjection> {
    for await (const document of this.jobs.find({ settled: false })) yield stored(document).job;
  }

  /** Of which a verdict may be told: not settled, or settled with a verdict that still stands. */
  async *toDiagnose(): AsyncGenerator<StoredJob> {
    for await (const document of this.jobs.find({ settled: false })) yield stored(document);
    const standing = { settled: true, 'verdict.code': { $type: 'string' } };
    for await (const document of this.jobs.find(standing)) yield stored(document);
  }

  /** Settled jobs whose last event is older than `before`, the oldest first, from behind one of them on. */
  async settledBefore(before: string, after: JobProjection | null, limit: number): Promise<JobProjection[]> {
    const conditions: Filter<JobDocument>[] = [{ settled: true, updatedAt: { $lt: before } }];
    if (after) {
      const { updatedAt, id } = after;
      conditions.push({ $or: [{ updatedAt: { $gt: updatedAt } }, { updatedAt, _id: { $gt: id } }] });
    }
    const found = await asStoreError(CODE, () =>
      this.jobs.find({ $and: conditions }).sort({ updatedAt: 1, _id: 1 }).limit(limit).toArray(),
    );
    return found.map((document) => stored(document).job);
  }

  /** Says that the job is gone, for a week. Before it is: whoever finds no document finds this. */
  async noteRemoved(id: string, expiredAt: string): Promise<void> {
    await asStoreError(CODE, () =>
      this.removals.updateOne({ _id: id }, { $max: { expiredAt }, $currentDate: { notedAt: true } }, { upsert: true }),
    );
  }

  /** When the job that is gone had expired; null: there was none, or it is long ago. */
  async expiredAt(id: string): Promise<string | null> {
    const note = await asStoreError(CODE, () => this.removals.findOne({ _id: id }));
    return note?.expiredAt ?? null;
  }

  async remove(id: string): Promise<void> {
    await asStoreError(CODE, () => this.jobs.deleteOne({ _id: id }));
  }

  async *byIds(ids: string[]): AsyncGenerator<JobProjection> {
    for await (const document of this.jobs.find({ _id: { $in: ids } })) yield stored(document).job;
  }
}

const movedNow = (): MovedAt => ({ records: new Date(), objects: new Date() });

function stored({ _id, revision, movedAt, ...job }: JobDocument): StoredJob {
  const at = new Date(job.updatedAt);
  return { job: { id: _id, ...job }, revision, movedAt: movedAt ?? { records: at, objects: at } };
}
