import { type IndexKeys, keyPrefixOf, type ResourceDefinition } from '@expunge/contracts';
import { asStoreError } from '@expunge/runtime/store';
import type { Collection, Db } from 'mongodb';
import { fieldAt, parseKeyPath, readKeys, rootOf } from './key-path.js';
import { RECORDS_UNAVAILABLE } from './records.js';
import type { RecordsRepository } from './records.repository.js';

/** Of some records, whosoever they are, the keys. */
export interface KeySample {
  records: number;
  keys: number;
  /** Keys that do not begin with the prefix of their record's tenant. */
  outside: number;
  /** Records with something else where a key should be. */
  unreadable: number;
}

const SAMPLE = 1000;
const WITHIN_MS = 4_000;

/** Tries what a deletion does to the user's records, and changes nothing. Calls throw as those of `Records` do. */
export class ResourceProbe {
  constructor(
    private readonly db: Db,
    private readonly records: Pick<RecordsRepository, 'missingIndexes'>,
  ) {}

  async tryRead(resource: ResourceDefinition): Promise<void> {
    await asStoreError(RECORDS_UNAVAILABLE, () =>
      this.collection(resource).findOne({}, { projection: { _id: 1 }, maxTimeMS: WITHIN_MS }),
    );
  }

  /** Rights are checked before the filter, which nothing can match. */
  async tryDelete(resource: ResourceDefinition): Promise<void> {
    await asStoreError(RECORDS_UNAVAILABLE, () => this.collection(resource).deleteOne({ _id: { $in: [] } }));
  }

  missingIndexes(resource: ResourceDefinition): Promise<IndexKeys[]> {
    return this.records.missingIndexes(resource);
  }

  async sampleKeys(resource: ResourceDefinition): Promise<KeySample> {
    const paths = resource.objectKeyPaths.map(parseKeyPath);
    const fields = [resource.tenantField, ...paths.map(({ head }) => head)].map(rootOf);
    const sampled = await asStoreError(RECORDS_UNAVAILABLE, () =>
      this.collection(resource)
        .aggregate<Record<string, unknown>>(
          [{ $sample: { size: SAMPLE } }, { $project: Object.fromEntries(fields.map((field) => [field, 1])) }],
          { maxTimeMS: WITHIN_MS },
        )
        .toArray(),
    );
    const sample: KeySample = { records: sampled.length, keys: 0, outside: 0, unreadable: 0 };
    for (const record of sampled) {
      const read = readKeys(record, paths);
      if (!read.readable) {
        sample.unreadable += 1;
        continue;
      }
      const tenant = fieldAt(record, resource.tenantField)?.value;
      // A record without a tenant is nobody's: no job means it.
      if (typeof tenant !== 'string') continue;
      const prefix = keyPrefixOf(resource, tenant);
      sample.keys += read.keys.length;
      sample.outside += read.keys.filter((key) => prefix !== null && !key.startsWith(prefix)).length;
    }
    return sample;
  }

  private collection(resource: ResourceDefinition): Collection {
    return this.db.collection(resource.collection);
  }
}
