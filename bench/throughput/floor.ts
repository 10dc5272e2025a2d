import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import type { ObjectId } from 'mongodb';
import { contest, type Deleted, keysOf, type Stores, type Task } from './contestant.js';

const KEYS_A_CALL = 1000;

/**
 * The fastest simple loop that deletes a tenant's receipts and their files, and promises nothing: no plan, no event, no
 * progress, no pause; what it had in hand when it died is lost, files first. It reads a page while it deletes the one
 * before and purges those before that.
 */
async function deleteWithoutPromises(task: Task, stores: Stores, tenant: string): Promise<Deleted> {
  const { receipts, s3, bucket } = stores;
  const { page, purges } = task.tuning;
  const began = performance.now();
  const result: Deleted = { records: 0, objects: 0, firstBatchMs: 0 };
  const read = (after: ObjectId | null) =>
    receipts
      .find({ tenantId: tenant, ...(after && { _id: { $gt: after } }) }, { projection: { attachments: 1 } })
      .sort({ _id: 1 })
      .limit(page)
      .batchSize(page)
      .toArray();

  const underWay = new Set<Promise<unknown>>();
  const purge = async (keys: string[]) => {
    while (underWay.size >= purges) await Promise.race(underWay);
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
    const call = s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }));
    const done: Promise<unknown> = call.then(() => underWay.delete(done));
    underWay.add(done);
    result.objects += keys.length;
  };

  let waiting: string[] = [];
  for (let next = read(null); ;) {
    const found = await next;
    const last = found.at(-1);
    if (!last) break;
    next = read(last._id);
    const ids = found.map(({ _id }) => _id);
    result.records += (await receipts.deleteMany({ tenantId: tenant, _id: { $in: ids } })).deletedCount;
    result.firstBatchMs ||= performance.now() - began;
    waiting.push(...keysOf(found));
    for (; waiting.length >= KEYS_A_CALL; waiting = waiting.slice(KEYS_A_CALL)) {
      await purge(waiting.slice(0, KEYS_A_CALL));
    }
  }
  if (waiting.length > 0) await purge(waiting);
  await Promise.all(underWay);
  return result;
}

await contest(deleteWithoutPromises);
