import type { WorkerHeartbeat } from '@expunge/contracts';
import { asStoreError } from '@expunge/runtime';
import type mongoose from 'mongoose';

type Beat = WorkerHeartbeat['data'];

interface WorkerDocument {
  /** `service@instance`. */
  _id: string;
  service: string;
  /** By the database's clock. */
  receivedAt: Date;
  beat: Beat;
}

export interface HeardWorker {
  beat: Beat;
  receivedAt: Date;
  ageMs: number;
}

/** An instance not heard of for this long is no longer of interest. */
const FORGOTTEN_AFTER_S = 600;
const CODE = 'MONITOR_STORE_UNAVAILABLE';

/** The last heartbeat of each instance. */
export class WorkerRepository {
  private readonly workers: mongoose.mongo.Collection<WorkerDocument>;

  constructor(db: mongoose.mongo.Db) {
    this.workers = db.collection<WorkerDocument>('workers', { ignoreUndefined: true });
  }

  async createIndexes(): Promise<void> {
    await this.workers.createIndexes([{ key: { receivedAt: 1 }, expireAfterSeconds: FORGOTTEN_AFTER_S }]);
  }

  async heard(beat: Beat): Promise<void> {
    const { service, instance } = beat;
    // As an expression, so that the database's clock is what counts; $literal, since a key may begin with "$".
    const fields = { service, beat: { $literal: beat }, receivedAt: '$$NOW' };
    await asStoreError(CODE, () =>
      this.workers.updateOne({ _id: `${service}@${instance}` }, [{ $set: fields }], {
        upsert: true,
        writeConcern: { w: 1 },
      }),
    );
  }

  all(maxAgeMs: number): Promise<HeardWorker[]> {
    return this.find({}, maxAgeMs);
  }

  /** The freshest first. */
  of(service: string, maxAgeMs: number): Promise<HeardWorker[]> {
    return this.find({ service }, maxAgeMs);
  }

  private async find(which: { service?: string }, maxAgeMs: number): Promise<HeardWorker[]> {
    const found = await asStoreError(CODE, () =>
      this.workers
        .aggregate<Omit<HeardWorker, 'ageMs'> & { ageMs: number | bigint }>([
          { $match: which },
          { $project: { beat: 1, receivedAt: 1, ageMs: { $subtract: ['$$NOW', '$receivedAt'] } } },
          { $match: { ageMs: { $lte: maxAgeMs } } },
          { $sort: { ageMs: 1 } },
        ])
        .toArray(),
    );
    return found.map(({ beat, receivedAt, ageMs }) => ({ beat, receivedAt, ageMs: Number(ageMs) }));
  }
}
