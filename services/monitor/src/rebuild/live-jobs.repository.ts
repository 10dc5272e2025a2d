import { asStoreError, isFirst } from '@expunge/runtime/store';
import { BSON, type Collection, type Db, type Document } from 'mongodb';
import type { JobProjection } from '../projection/job.js';

/** A document of the projection, with what is to be known to replace it. What it holds may be damaged. */
export interface LiveJob {
  id: string;
  bytes: Uint8Array;
  content: Record<string, unknown>;
}

type Stored = Document & { _id: string };

const CODE = 'MONITOR_STORE_UNAVAILABLE';
const PAGE = 200;
const { EJSON } = BSON;

/** The projection that monitors fold into, as its bytes. */
export class LiveJobs {
  private readonly jobs: Collection<Stored>;

  constructor(db: Db) {
    this.jobs = db.collection<Stored>('jobs', { ignoreUndefined: true });
  }

  async size(): Promise<number> {
    return asStoreError(CODE, () => this.jobs.estimatedDocumentCount());
  }

  async *pages(): AsyncGenerator<LiveJob[]> {
    const cursor = this.jobs.find({}, { raw: true, batchSize: PAGE }).sort({ _id: 1 });
    try {
      for (;;) {
        const first = await asStoreError(CODE, () => cursor.next());
        if (first === null) return;
        yield [first, ...cursor.readBufferedDocuments()].map(liveJob);
      }
    } finally {
      await cursor.close();
    }
  }

  async read(id: string): Promise<LiveJob | null> {
    const found = await asStoreError(CODE, () => this.jobs.findOne({ _id: id }, { raw: true }));
    return found && liveJob(found);
  }

  async existing(ids: string[]): Promise<Set<string>> {
    const found = await asStoreError(CODE, () =>
      this.jobs.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray(),
    );
    return new Set(found.map(({ _id }) => _id));
  }

  /**
   * Puts `job` where `expected` stands, by its revision as monitors do. False: somebody has written since, or removed it.
   * Nothing expected: only where there is nothing.
   */
  async replace(job: JobProjection, expected: LiveJob | null): Promise<boolean> {
    // In damaged content there may be no revision: null matches that as well.
    const revision = expected?.content['revision'] ?? null;
    const next = typeof revision === 'number' ? revision + 1 : 1;
    const document = documentOf(job, next, expected?.content['movedAt']);
    return asStoreError(CODE, async () => {
      if (expected) {
        const { matchedCount } = await this.jobs.replaceOne({ _id: job.id, revision }, document);
        return matchedCount === 1;
      }
      return isFirst(() => this.jobs.insertOne(document));
    });
  }
}

/** The bytes are a view of the driver's buffer of a whole page. */
function liveJob(found: unknown): LiveJob {
  const bytes = found as Uint8Array;
  const content = BSON.deserialize(bytes, { useBigInt64: true });
  return { id: content['_id'] as string, bytes, content };
}

/** With what stands beside the projection. Without `movedAt`, the time of the last event is taken for it. */
function documentOf({ id, ...rest }: JobProjection, revision: unknown, movedAt: unknown): Stored {
  return { _id: id, ...rest, revision, movedAt };
}

/** What a monitor writes of the job, whatever the number of writes. */
export function writtenAs(live: LiveJob, job: JobProjection): Uint8Array {
  return BSON.serialize(documentOf(job, live.content['revision'], live.content['movedAt']), { ignoreUndefined: true });
}

export const isWrittenAs = (live: LiveJob, job: JobProjection): boolean =>
  Buffer.compare(writtenAs(live, job), live.bytes) === 0;

/** Every number as an object that says of which type it is. */
export function withTypes(bytes: Uint8Array): unknown {
  return EJSON.serialize(BSON.deserialize(bytes, { promoteValues: false }), { relaxed: false });
}

export const contentOf = ({ id, ...rest }: JobProjection): Record<string, unknown> => ({ _id: id, ...rest });
