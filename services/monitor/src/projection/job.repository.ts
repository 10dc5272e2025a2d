import type { JobStatus } from '@expunge/contracts';
import { asStoreError, isDuplicateKey } from '@expunge/runtime';
import type mongoose from 'mongoose';
import type { JobProjection } from './job.js';

/** `revision` grows with every write. It is no part of the projection: a rebuild need not take as many writes. */
type JobDocument = Omit<JobProjection, 'id'> & { _id: string; revision: number };

export interface StoredJob {
  job: JobProjection;
  revision: number;
}

/** Where a page ends: the next one begins below it. */
export interface Cursor {
  listedAt: string;
  id: string;
}

export interface JobsWanted {
  tenant: string;
  statuses: JobStatus[] | null;
  resource: string | null;
  before: Cursor | null;
  limit: number;
}

const CODE = 'MONITOR_STORE_UNAVAILABLE';

export class JobRepository {
  private readonly jobs: mongoose.mongo.Collection<JobDocument>;

  constructor(db: mongoose.mongo.Db) {
    this.jobs = db.collection<JobDocument>('jobs', { ignoreUndefined: true });
  }

  async createIndexes(): Promise<void> {
    await this.jobs.createIndexes([
      { key: { tenant: 1, listedAt: -1, _id: -1 } },
      { key: { settled: 1 }, partialFilterExpression: { settled: false } },
    ]);
  }

  async read(id: string): Promise<StoredJob | null> {
    const found = await asStoreError(CODE, () => this.jobs.findOne({ _id: id }));
    return found && stored(found);
  }

  /** False when somebody else wrote since `expected` was read; null: there was none. */
  async write(job: JobProjection, expected: number | null): Promise<boolean> {
    const { id, ...rest } = job;
    const document = { _id: id, ...rest, revision: (expected ?? 0) + 1 };
    return asStoreError(CODE, async () => {
      if (expected !== null) {
        const { matchedCount } = await this.jobs.replaceOne({ _id: id, revision: expected }, document);
        return matchedCount === 1;
      }
      try {
        await this.jobs.insertOne(document);
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    });
  }

  /** Newest first. A job that comes in meanwhile stands before the first page and moves none of the others. */
  async page({ tenant, statuses, resource, before, limit }: JobsWanted): Promise<JobProjection[]> {
    const conditions: mongoose.mongo.Filter<JobDocument>[] = [{ tenant }];
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

  /** Of which something is still expected, or known to be missing. */
  async *unsettled(): AsyncGenerator<JobProjection> {
    for await (const document of this.jobs.find({ settled: false })) yield stored(document).job;
  }

  async *byIds(ids: string[]): AsyncGenerator<JobProjection> {
    for await (const document of this.jobs.find({ _id: { $in: ids } })) yield stored(document).job;
  }
}

function stored({ _id, revision, ...job }: JobDocument): StoredJob {
  return { job: { id: _id, ...job }, revision };
}
