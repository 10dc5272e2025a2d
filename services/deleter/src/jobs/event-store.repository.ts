import { type EventsWanted, type InBucket, inBucket, type KeysOfBatch } from '@expunge/contracts';
import { asStoreError } from '@expunge/runtime/store';
import { type Collection, type Db, MongoBulkWriteError } from 'mongodb';
import type { DeletionEvent } from '../deletion-job/deletion-job.js';

interface StoredEvent {
  _id: string;
  job: string;
  /** Null: of none of the job's steps. */
  sequence: number | null;
  /** Of BatchDeleted, and of what asks for a batch's objects again. */
  batch: number | null;
  /** Of an answer: the request's id. */
  answers: string | null;
  message: DeletionEvent;
}

const UNAVAILABLE = 'JOBS_UNAVAILABLE';
const ofBatchDeleted = { 'message.type': 'BatchDeleted' } as const;

/** An error beside a duplicate, or of the write concern, means that something may not stand. */
function isNothingButDuplicates(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError)) return false;
  const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  // Without any, it is a write that nobody answered.
  return (
    errors.length > 0 && errors.every(({ code }) => code === 11000) && error.result.getWriteConcernError() === undefined
  );
}

/** The record of what happened. An event stands here before it leaves its outbox, and is published from here again. */
export class EventStore {
  private readonly events: Collection<StoredEvent>;

  constructor(db: Db) {
    this.events = db.collection<StoredEvent>('events');
  }

  async createIndexes(): Promise<void> {
    await this.events.createIndexes([
      { key: { job: 1, sequence: 1 }, unique: true, partialFilterExpression: { sequence: { $type: 'number' } } },
      { key: { job: 1, batch: 1 } },
      { key: { job: 1, answers: 1 }, partialFilterExpression: { answers: { $type: 'string' } } },
    ]);
  }

  /** Events that stand here already stay as they are. */
  async append(events: readonly DeletionEvent[]): Promise<void> {
    if (events.length === 0) return;
    try {
      const stored = events.map((message): StoredEvent => ({
        _id: message.id,
        job: message.subject,
        sequence: message.sequence ?? null,
        batch: 'batch' in message.data ? message.data.batch : null,
        answers: 'requestId' in message.data ? message.data.requestId : null,
        message,
      }));
      await asStoreError(UNAVAILABLE, () => this.events.insertMany(stored, { ordered: false, ignoreUndefined: true }));
    } catch (error) {
      if (!isNothingButDuplicates(error)) throw error;
    }
  }

  /** What was said of a request; none while that is still in the outbox. */
  async answersTo(job: string, requestId: string): Promise<DeletionEvent[]> {
    const found = await asStoreError(UNAVAILABLE, () => this.events.find({ job, answers: requestId }).toArray());
    return found.map((event) => event.message);
  }

  /** The keys handed over with a batch, by position, and their bucket; none where the store has no such batch. */
  async keysOf(job: string, batch: number): Promise<{ objectKeys: string[] } & InBucket> {
    const event = await asStoreError(UNAVAILABLE, () => this.events.findOne({ job, batch, ...ofBatchDeleted }));
    if (event?.message.type !== 'BatchDeleted') return { objectKeys: [] };
    const { objectKeys, bucket } = event.message.data;
    return { objectKeys, ...inBucket(bucket) };
  }

  /** At most `each` keys of each of these batches, next to one another, and at most `most` in all. */
  async someKeysOf(
    job: string,
    batches: readonly number[],
    each: number,
    most: number,
  ): Promise<(KeysOfBatch & InBucket)[]> {
    if (each === 0) return [];
    const size = { $size: '$message.data.objectKeys' };
    // The same keys whenever it is asked, and not each batch's first.
    const from = { $mod: [{ $multiply: ['$batch', 7919] }, { $max: [1, { $subtract: [size, each - 1] }] }] };
    const found = await asStoreError(UNAVAILABLE, () =>
      this.events
        .aggregate<{ batch: number; from: number; keys: string[] } & InBucket>([
          { $match: { job, batch: { $in: [...batches] }, ...ofBatchDeleted } },
          { $sort: { batch: 1 } },
          {
            $project: {
              batch: 1,
              from,
              keys: { $slice: ['$message.data.objectKeys', from, each] },
              bucket: '$message.data.bucket',
            },
          },
        ])
        .toArray(),
    );
    let left = most;
    return found.flatMap(({ batch, from: first, keys, bucket }) => {
      const objectKeys = keys.slice(0, left);
      left -= objectKeys.length;
      if (objectKeys.length === 0) return [];
      return [{ batch, positions: [[first, first + objectKeys.length - 1]], objectKeys, ...inBucket(bucket) }];
    });
  }

  async removeOf(job: string): Promise<void> {
    await asStoreError(UNAVAILABLE, () => this.events.deleteMany({ job }));
  }

  /** In the order of sequences, `atOnce` at a time. */
  async *find(job: string, wanted: EventsWanted['data'], atOnce: number): AsyncGenerator<DeletionEvent[]> {
    const ranges = (field: 'sequence' | 'batch', positions: [number, number][] = []) =>
      positions.map(([from, to]) => ({ job, [field]: { $gte: from, $lte: to } }));
    const any = [
      ...ranges('sequence', wanted.sequences),
      ...ranges('batch', wanted.batches),
      ...(wanted.after === undefined ? [] : [{ job, sequence: { $gt: wanted.after } }]),
    ];
    if (any.length === 0) return;
    for (let after = 0; ;) {
      const found = await asStoreError(UNAVAILABLE, () =>
        this.events
          .find({ $and: [{ $or: any }, { sequence: { $gt: after } }] }, { sort: { sequence: 1 }, limit: atOnce })
          .toArray(),
      );
      if (found.length > 0) yield found.map((event) => event.message);
      if (found.length < atOnce) return;
      after = found.at(-1)?.sequence ?? after;
    }
  }
}
