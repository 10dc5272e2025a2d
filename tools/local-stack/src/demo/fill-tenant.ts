import type { Bucket } from './bucket.adapter.js';
import type { Receipt, ReceiptSource } from './receipt.js';
import { ObjectId } from 'mongodb';
import type { ReceiptRecord, Records } from './records.adapter.js';

export interface Filling {
  readonly records: Records;
  readonly bucket: Bucket;
  /** Counts up while it goes. */
  readonly filled: { records: number; objects: number };
  readonly signal: AbortSignal;
}

const recordsAtOnce = 500;
const uploadsAtOnce = 32;

export function prefixOf(tenantId: string): string {
  return `tenants/${tenantId}/`;
}

/**
 * Gives a tenant receipts: a batch's files first, then its records, as an application would.
 * @param onRecord called with every record and its keys, once they are stored
 */
export async function fillTenant(
  tenantId: string,
  source: ReceiptSource,
  { records, bucket, filled, signal }: Filling,
  onRecord: (id: string, keys: readonly string[]) => void = () => undefined,
): Promise<void> {
  for (const receipts of batches(source.receipts(), recordsAtOnce)) {
    const stored = receipts.map((receipt) => toStore(tenantId, receipt));
    const uploads = stored.flatMap(({ uploads: its }) => its);
    await inParallel(uploads, uploadsAtOnce, async ({ key, file }) => {
      signal.throwIfAborted();
      await bucket.put(key, await file.content(), file.type);
      filled.objects += 1;
    });
    signal.throwIfAborted();
    await records.insert(stored.map(({ record }) => record));
    filled.records += stored.length;
    for (const { record, uploads: its } of stored) {
      onRecord(
        record._id.toHexString(),
        its.map(({ key }) => key),
      );
    }
  }
}

function toStore(tenantId: string, { fields, files }: Receipt) {
  const _id = new ObjectId();
  const uploads = files.map((file) => ({
    file,
    key: `${prefixOf(tenantId)}receipts/${_id.toHexString()}/${file.name}`,
  }));
  const attachments = uploads.filter(({ file }) => file.role === 'attachment').map(({ key }) => ({ key }));
  const preview = uploads.find(({ file }) => file.role === 'preview');
  const previewKey = preview && { previewKey: preview.key };
  const record: ReceiptRecord = { ...fields, _id, tenantId, attachments, ...previewKey };
  return { record, uploads };
}

function* batches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    if (batch.push(item) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Ends only when nothing is under way any more, also when it fails: whoever tidies up then finds all there is. */
async function inParallel<T>(items: readonly T[], lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const next = queue.values();
  const lane = async () => {
    for (const item of next) await work(item);
  };
  const outcomes = await Promise.allSettled(
    Array.from({ length: lanes }, () =>
      lane().finally(() => {
        queue.length = 0;
      }),
    ),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
