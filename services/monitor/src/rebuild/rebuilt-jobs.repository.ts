import { asStoreError } from '@expunge/runtime/store';
import { BSON, type Collection, type Db, MongoServerError } from 'mongodb';
import type { JobProjection } from '../projection/job.js';

type Stored = Omit<JobProjection, 'id'> & { _id: string };

const CODE = 'MONITOR_STORE_UNAVAILABLE';
const NAMESPACE_NOT_FOUND = 26;
/** Of one write, and of what waits for it in memory. */
const AT_ONCE = 100;
const BYTES_AT_ONCE = 512 * 1024;
const IDS_AT_ONCE = 1000;

/**
 * The projection folded anew, beside the one that monitors fold into. Each document is the fold of its job's events up
 * to its position. Lost with a crash, it is made again: no journal is waited for.
 */
export class RebuiltJobs {
  private readonly jobs: Collection<Stored>;
  private waiting: Stored[] = [];
  private waitingBytes = 0;

  constructor(db: Db) {
    this.jobs = db.collection<Stored>('jobs_rebuilt', { ignoreUndefined: true, writeConcern: { w: 1 } });
  }

  /** Empty, whatever an earlier run that was cut off has left. */
  async drop(): Promise<void> {
    try {
      await asStoreError(CODE, () => this.jobs.drop());
    } catch (error) {
      // Older servers say so where there is none.
      if (!(error instanceof MongoServerError && error.code === NAMESPACE_NOT_FOUND)) throw error;
    }
  }

  async add({ id, ...rest }: JobProjection): Promise<void> {
    const document = { _id: id, ...rest };
    this.waiting.push(document);
    this.waitingBytes += BSON.calculateObjectSize(document, { ignoreUndefined: true });
    if (this.waiting.length >= AT_ONCE || this.waitingBytes >= BYTES_AT_ONCE) await this.flush();
  }

  async flush(): Promise<void> {
    const documents = this.waiting;
    this.waiting = [];
    this.waitingBytes = 0;
    if (documents.length > 0) await asStoreError(CODE, () => this.jobs.insertMany(documents));
  }

  async byIds(ids: string[]): Promise<Map<string, JobProjection>> {
    const found = await asStoreError(CODE, () => this.jobs.find({ _id: { $in: ids } }).toArray());
    return new Map(found.map(({ _id, ...rest }) => [_id, { id: _id, ...rest }]));
  }

  async *ids(): AsyncGenerator<string[]> {
    const cursor = this.jobs.find({}, { projection: { _id: 1 }, batchSize: IDS_AT_ONCE }).sort({ _id: 1 });
    try {
      for (;;) {
        const first = await asStoreError(CODE, () => cursor.next());
        if (first === null) return;
        yield [first, ...cursor.readBufferedDocuments()].map(({ _id }) => _id);
      }
    } finally {
      await cursor.close();
    }
  }
}
