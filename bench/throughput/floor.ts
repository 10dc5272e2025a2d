import type { ObjectId } from 'mongodb';
import { contest, type Deleted, keysOf, type Stores, type Task } from './contestant.js';
import { Purges } from './purges.js';

/**
 * The fastest simple loop that deletes a tenant's receipts and their files, and promises nothing: no plan, no event, no
 * progress, no pause; what it had in hand when it died is lost, files first. It reads a page while it deletes the one
 * before and purges those before that.
 */
async function deleteWithoutPromises(task: Task, stores: Stores, tenant: string): Promise<Deleted> {
  const { receipts } = stores;
  const { page, purges: most } = task.tuning;
  const began = performance.now();
  const result: Deleted = { records: 0, objects: 0, firstBatchMs: 0 };
  const read = (after: ObjectId | null) =>
    receipts
      .find({ tenantId: tenant, ...(after && { _id: { $gt: after } }) }, { projection: { attachments: 1 } })
      .sort({ _id: 1 })
      .limit(page)
      .batchSize(page)
      .toArray();

  const purges = new Purges(stores, most);
  for (let next = read(null); ;) {
    const found = await next;
    const last = found.at(-1);
    if (!last) break;
    next = read(last._id);
    const ids = found.map(({ _id }) => _id);
    result.records += (await receipts.deleteMany({ tenantId: tenant, _id: { $in: ids } })).deletedCount;
    result.firstBatchMs ||= performance.now() - began;
    await purges.add(keysOf(found));
  }
  await purges.end();
  return { ...result, objects: purges.objects };
}

await contest(deleteWithoutPromises);
