import { type Bound, type InBucket, type ResourceDefinition, type WireId } from '@expunge/contracts';
import { asStoreError } from '@expunge/runtime/store';
import { type Collection, type Db, type Document, MongoServerError, ObjectId } from 'mongodb';
import type { Plan } from '../deletion-job/deletion-job.js';
import { keyBytes, type Page, type PageRecord, PLAN_BYTES } from '../deletion-job/plan-batch.js';
import type { Aftermath } from '../deletion-job/resolve-plan.js';
import { deleteRecords } from './delete-records.js';
import { missingOf, pageIndexOf } from './indexes.js';
import { parseKeyPath, readKeys, rootOf } from './key-path.js';
import { inScope, matching, ofOtherTypes, pageFilter, type Scope, windowFilter } from './record-filters.js';
import { ofType, toBson, toWire } from './record-ids.js';
import { type DeleteOutcome, type Records, RECORDS_UNAVAILABLE } from './records.js';
import { clockFrom, type RecordsClock } from './records-clock.js';
import { exact, findReferred, ranOutOfTime } from './references.repository.js';

const NAMESPACE_NOT_FOUND = 26;
/**
 * Records a page looks at, at most. A filter or a date that few records match would otherwise read a tenant's whole
 * range in one query, and run out of its time each time from the same cursor.
 */
const WINDOW = 50_000;
const READ_TIMEOUT_MS = 30_000;
/**
 * While millions of records of the job itself share a key, finding one outside takes a walk past them all: then it is
 * asked again with the next batch that holds the key, and by the last one none of them is left.
 */
const OUTSIDE_TIMEOUT_MS = 200;
const HINT_FRESH_MS = 5000;
const COUNT_TIMEOUT_MS = 2000;
/** Records an estimate is taken from. */
const SAMPLE = 1000;

const isNoCollection = (error: unknown): boolean =>
  error instanceof MongoServerError && error.code === NAMESPACE_NOT_FOUND;

/** The user's own database. Nothing is created in it, no index and no collection. */
export class RecordsRepository implements Records {
  private readonly pageIndexes = new Map<string, { name: string; at: number }>();

  constructor(
    private readonly db: Db,
    private readonly resources: ReadonlyMap<string, ResourceDefinition>,
  ) {}

  async clock(): Promise<RecordsClock> {
    const monotonic = () => performance.now();
    const askedAt = monotonic();
    // `$$NOW`, which the delete's deadline is compared with, rather than hello's localTime: behind a mongos those differ.
    const [answer] = await asStoreError(RECORDS_UNAVAILABLE, () =>
      this.db.aggregate<{ now: Date }>([{ $documents: [{}] }, { $project: { now: '$$NOW' } }]).toArray(),
    );
    if (!answer) throw new Error('the records server does not tell its time');
    return clockFrom({ askedAt, answeredAt: monotonic(), serverTime: answer.now }, monotonic);
  }

  async missingIndexes(resource: ResourceDefinition) {
    return missingOf(resource, await this.indexes(resource));
  }

  async bound(resource: ResourceDefinition, tenant: string, requestedAt: Date): Promise<Bound> {
    if (resource.createdAtField !== null) return { createdAtMost: requestedAt.toISOString() };
    const atMost: Document[] = [{ [resource.tenantField]: { $eq: tenant } }, { _id: ofType[resource.idType] }];
    // An ObjectId tells its second: what was created while the request waited in its queue stays out.
    if (resource.idType === 'objectId') atMost.push({ _id: { $lte: lastObjectIdOf(requestedAt) } });
    const hint = await this.pageIndex(resource);
    const [greatest] = await asStoreError(RECORDS_UNAVAILABLE, () =>
      this.collection(resource)
        .find(
          { $and: atMost },
          { ...exact, hint, projection: { _id: 1 }, sort: { _id: -1 }, limit: 1, maxTimeMS: READ_TIMEOUT_MS },
        )
        .toArray(),
    );
    return { idAtMost: greatest ? toWire(resource.idType, greatest._id) : null };
  }

  count(resource: ResourceDefinition, scope: Scope, withinMs = COUNT_TIMEOUT_MS): Promise<number | null> {
    return this.counted(resource, () => matching(resource, scope), { maxTimeMS: withinMs });
  }

  countUpTo(resource: ResourceDefinition, scope: Scope, limit: number): Promise<number | null> {
    return this.counted(resource, () => matching(resource, scope), { maxTimeMS: READ_TIMEOUT_MS, limit });
  }

  estimate(resource: ResourceDefinition, scope: Scope): Promise<number> {
    return asStoreError(RECORDS_UNAVAILABLE, async () => {
      const collection = this.collection(resource);
      const [all, [found]] = await Promise.all([
        collection.estimatedDocumentCount({ maxTimeMS: READ_TIMEOUT_MS }),
        collection
          .aggregate<{ records: number }>(
            [{ $sample: { size: SAMPLE } }, { $match: matching(resource, scope) }, { $count: 'records' }],
            { ...exact, maxTimeMS: READ_TIMEOUT_MS },
          )
          .toArray(),
      ]);
      return Math.round((all * (found?.records ?? 0)) / Math.max(1, Math.min(SAMPLE, all)));
    });
  }

  private counted(
    resource: ResourceDefinition,
    filter: () => Document,
    options: { maxTimeMS: number; limit?: number } = { maxTimeMS: COUNT_TIMEOUT_MS },
  ): Promise<number | null> {
    return asStoreError(RECORDS_UNAVAILABLE, async () => {
      try {
        return await this.collection(resource).countDocuments(filter(), { ...exact, ...options });
      } catch (error) {
        if (ranOutOfTime(error)) return null;
        throw error;
      }
    });
  }

  countOtherTypes(resource: ResourceDefinition, scope: Scope): Promise<number | null> {
    // Ids are given in the declared type.
    if ('ids' in scope.selection) return Promise.resolve(0);
    return this.counted(resource, () => ofOtherTypes(resource, scope));
  }

  referred(keys: readonly string[], of: { resource: string | undefined } & InBucket): Promise<Set<string>> {
    const everywhere = this.holders(of).map((holder) => ({ holder, except: null }));
    return asStoreError(RECORDS_UNAVAILABLE, () => findReferred(this.db, everywhere, keys));
  }

  async page(
    resource: ResourceDefinition,
    scope: Scope,
    cursor: WireId | null,
    limit: number,
    window: WireId | null,
  ): Promise<Page> {
    const hint = await this.pageIndex(resource);
    const windowEnd = window ?? (isSparse(scope) ? await this.windowEnd(resource, scope, cursor, hint) : null);
    const paths = resource.objectKeyPaths.map(parseKeyPath);
    const records: PageRecord[] = [];
    const isWhole = await asStoreError(RECORDS_UNAVAILABLE, async () => {
      let bytes = 0;
      await using found = this.collection(resource).find(pageFilter(resource, scope, cursor, windowEnd), {
        ...exact,
        hint,
        projection: this.keysOnly(resource),
        sort: { _id: 1 },
        limit,
        batchSize: limit,
        maxTimeMS: READ_TIMEOUT_MS,
      });
      // By reply: to await each record takes as long as to read it.
      while (await found.hasNext()) {
        for (const record of found.readBufferedDocuments()) {
          const id = toWire(resource.idType, record._id);
          if (id === null) throw new Error(`_id of another type in a page of ${resource.idType} ids`);
          const keys = readKeys(record, paths);
          bytes += String(id).length + (keys.readable ? keyBytes(keys.keys) : 0);
          if (bytes > PLAN_BYTES && records.length > 0) return false;
          records.push({ id, keys });
        }
      }
      return true;
    });
    // A page that is not full has seen its window to the end.
    const sawWindow = isWhole && records.length < limit && windowEnd !== null;
    return sawWindow
      ? { records, closesAt: windowEnd, window: null }
      : { records, closesAt: records.at(-1)?.id ?? null, window: windowEnd };
  }

  delete(resource: ResourceDefinition, scope: Scope, plan: Plan, clock: RecordsClock): Promise<DeleteOutcome> {
    return deleteRecords(this.collection(resource), resource, scope, plan, clock);
  }

  async aftermath(resource: ResourceDefinition, scope: Scope, plan: Plan): Promise<Aftermath> {
    return asStoreError(RECORDS_UNAVAILABLE, async () => {
      const planned = [...new Set(plan.records.flatMap((record) => record.keys))];
      const of = { resource: resource.name, bucket: plan.bucket };
      const [standing, referred] = await Promise.all([this.standing(resource, plan), this.referred(planned, of)]);
      const outside = this.holders(of).map((holder) => ({
        holder,
        // By collection: another resource may be defined over the same one.
        except: holder.collection === resource.collection ? inScope(resource, scope) : null,
      }));
      const heldOutside = await findReferred(this.db, outside, [...referred], OUTSIDE_TIMEOUT_MS);
      return { standing, referred, heldOutside };
    });
  }

  /**
   * Two buckets that have names are two; S3_BUCKET, whose name is not known here, may be either. The resource itself counts
   * in any case: its bucket may be another one by now.
   */
  private holders({ resource, bucket }: { resource: string | undefined } & InBucket): ResourceDefinition[] {
    const isElsewhere = (other: ResourceDefinition) =>
      other.name !== resource && !!bucket && !!other.bucket && bucket !== other.bucket;
    return [...this.resources.values()].filter((other) => other.keysShared && !isElsewhere(other));
  }

  /** The id at which the page's window ends; null when the rest is no longer than one. */
  private async windowEnd(resource: ResourceDefinition, scope: Scope, cursor: WireId | null, hint: string) {
    const [last] = await asStoreError(RECORDS_UNAVAILABLE, () =>
      this.collection(resource)
        .find(windowFilter(resource, scope, cursor), {
          ...exact,
          hint,
          projection: { _id: 1 },
          sort: { _id: 1 },
          skip: WINDOW - 1,
          limit: 1,
          maxTimeMS: READ_TIMEOUT_MS,
        })
        .toArray(),
    );
    return last ? toWire(resource.idType, last._id) : null;
  }

  /** The index that pages are read by, named to the server: its planner might take `_id` for the order and walk every tenant. */
  private async pageIndex(resource: ResourceDefinition): Promise<string> {
    const known = this.pageIndexes.get(resource.name);
    if (known && performance.now() - known.at < HINT_FRESH_MS) return known.name;
    const name = pageIndexOf(resource, await this.indexes(resource));
    if (name === null) throw new Error(`${resource.collection} has no index on ${resource.tenantField}, _id`);
    this.pageIndexes.set(resource.name, { name, at: performance.now() });
    return name;
  }

  private async indexes(resource: ResourceDefinition): Promise<object[]> {
    try {
      return await asStoreError(RECORDS_UNAVAILABLE, () => this.collection(resource).indexes());
    } catch (error) {
      if (isNoCollection(error)) return [];
      throw error;
    }
  }

  /**
   * By `_id` in the collection's own collation, the one read that does not say `exact`: the index on `_id` has it, too,
   * and a neighbour that differs in case is told apart by its text.
   */
  private async standing(resource: ResourceDefinition, plan: Plan): Promise<Map<string, string[] | null>> {
    const paths = resource.objectKeyPaths.map(parseKeyPath);
    const found = await this.collection(resource)
      .find({ _id: { $in: plan.records.map((record) => toBson(resource.idType, record.id)) } } as Document, {
        projection: this.keysOnly(resource),
        maxTimeMS: READ_TIMEOUT_MS,
      })
      .toArray();
    return new Map(
      found.map((record) => {
        const keys = readKeys(record, paths);
        return [String(toWire(resource.idType, record._id)), keys.readable ? keys.keys : null];
      }),
    );
  }

  /** The fields the key paths begin with, whole: `attachments.key` alone would hide elements of another shape. */
  private keysOnly(resource: ResourceDefinition): Document {
    const fields = resource.objectKeyPaths.map((path) => rootOf(parseKeyPath(path).head));
    return { _id: 1, ...Object.fromEntries(fields.map((field) => [field, 1])) };
  }

  private collection(resource: ResourceDefinition): Collection {
    return this.db.collection(resource.collection);
  }
}

/** Whether records that match may stand far apart in the index that pages are read by. */
function isSparse({ selection, bound }: Scope): boolean {
  return 'filter' in selection || ('all' in selection && 'createdAtMost' in bound);
}

/** The greatest ObjectId any host can have made by the end of that second. */
function lastObjectIdOf(time: Date): ObjectId {
  const seconds = Math.floor(time.getTime() / 1000)
    .toString(16)
    .padStart(8, '0');
  return new ObjectId(`${seconds}ffffffffffffffff`);
}
