import type { WorkerHeartbeat } from '@expunge/contracts';
import { asStoreError } from '@expunge/runtime/store';
import type { Collection, Db } from 'mongodb';

type Beat = WorkerHeartbeat['data'];

interface WorkerDocument {
  /** `service@instance`. */
  _id: string;
  service: string;
  /** By the database's clock. */
  receivedAt: Date;
  beat: Beat;
  /** Its last words when it last ended by an error; it may run again. */
  end?: { beat: Beat; receivedAt: Date };
}

interface Heard {
  beat: Beat;
  receivedAt: Date;
  ageMs: number;
}

export interface HeardWorker extends Heard {
  /** When it last ended by an error, which may be before its last heartbeat. */
  end: Heard | null;
}

/** An instance not heard of for this long is no longer of interest. */
const FORGOTTEN_AFTER_S = 600;
const CODE = 'MONITOR_STORE_UNAVAILABLE';

/** The last heartbeat of each instance, and the last words of its last failure. */
export class WorkerRepository {
  private readonly workers: Collection<WorkerDocument>;

  constructor(db: Db) {
    this.workers = db.collection<WorkerDocument>('workers', { ignoreUndefined: true });
  }

  async createIndexes(): Promise<void> {
    await this.workers.createIndexes([{ key: { receivedAt: 1 }, expireAfterSeconds: FORGOTTEN_AFTER_S }]);
  }

  /**
   * One that comes after a later one of the same process changes nothing: several are written at once, and a monitor that
   * was frozen hears old ones. Nothing comes after last words.
   */
  async heard(beat: Beat): Promise<void> {
    const { service, instance, startedAt, pid, exit, number = Infinity } = beat;
    const isSame = { $and: [{ $eq: ['$beat.startedAt', startedAt] }, { $eq: ['$beat.pid', pid] }] };
    const isLater = exit ? false : { $or: [{ $gt: ['$beat.exit', null] }, { $gt: ['$beat.number', number] }] };
    const unlessLate = (field: string, value: unknown) => ({
      $cond: [{ $and: [isSame, isLater] }, `$${field}`, value],
    });
    // As an expression, so that the database's clock is what counts; $literal, since a key may begin with "$".
    const heard = { beat: { $literal: beat }, receivedAt: '$$NOW' };
    const fields = {
      service,
      beat: unlessLate('beat', heard.beat),
      receivedAt: unlessLate('receivedAt', heard.receivedAt),
      ...(beat.exit?.reason === 'fatal' && { end: heard }),
    };
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
        .aggregate<Omit<WorkerDocument, '_id' | 'service'> & { now: Date }>([
          { $match: which },
          { $project: { _id: 0, beat: 1, receivedAt: 1, end: 1, now: '$$NOW' } },
          { $match: { $expr: { $lte: [{ $subtract: ['$$NOW', '$receivedAt'] }, maxAgeMs] } } },
          { $sort: { receivedAt: -1 } },
        ])
        .toArray(),
    );
    return found.map(({ now, end, ...last }) => {
      const aged = (one: Omit<Heard, 'ageMs'>): Heard => ({ ...one, ageMs: now.getTime() - one.receivedAt.getTime() });
      return { ...aged(last), end: end ? aged(end) : null };
    });
  }
}
