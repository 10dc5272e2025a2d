import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { type Job, Queue, QueueEvents, Worker } from 'bullmq';
import { contest, type Deleted, keysOf, type Stores } from './contestant.js';

const BATCH = 50;
const QUEUE = 'maintenance';

/** How "delete all receipts" was done before: one job on a queue, batches of 50, each record's files in a call of its own. */
async function work(job: Job, { receipts, s3, bucket }: Stores): Promise<Deleted> {
  const { tenant, askedAt } = job.data as { tenant: string; askedAt: number };
  const result: Deleted = { records: 0, objects: 0, firstBatchMs: 0 };
  for (;;) {
    const batch = await receipts.find({ tenantId: tenant }).limit(BATCH).toArray();
    if (batch.length === 0) return result;
    const ids = batch.map(({ _id }) => _id);
    result.records += (await receipts.deleteMany({ tenantId: tenant, _id: { $in: ids } })).deletedCount;
    result.firstBatchMs ||= Date.now() - askedAt;
    for (const record of batch) {
      const keys = keysOf([record]);
      if (keys.length === 0) continue;
      const Delete = { Objects: keys.map((Key) => ({ Key })) };
      await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }));
      result.objects += keys.length;
    }
    await job.updateProgress({ deleted: result.records });
  }
}

let queue: Queue | undefined;
let events: QueueEvents | undefined;

await contest(async (task, stores, tenant) => {
  const connection = { path: task.redisSocket };
  if (!queue || !events) {
    queue = new Queue(QUEUE, { connection });
    events = new QueueEvents(QUEUE, { connection });
    await events.waitUntilReady();
    await new Worker(QUEUE, (job) => work(job, stores), { connection }).waitUntilReady();
  }
  const job = await queue.add('delete', { tenant, askedAt: Date.now() });
  return (await job.waitUntilFinished(events)) as Deleted;
});
