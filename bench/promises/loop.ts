import { randomUUID } from 'node:crypto';
import { deleteRequestedId, DeleteRequested, keyPrefixOf, receipts, type WireId } from '@expunge/contracts';
import { type DeletionJob, type Plan, withLane } from '@expunge/deleter/dist/deletion-job/deletion-job.js';
import { withoutFlushed } from '@expunge/deleter/dist/deletion-job/emit.js';
import { deletableUntil, isFull, type Page, planBatch } from '@expunge/deleter/dist/deletion-job/plan-batch.js';
import { type Aftermath, consequenceOf, resolvePlan } from '@expunge/deleter/dist/deletion-job/resolve-plan.js';
import { startJob } from '@expunge/deleter/dist/deletion-job/start-job.js';
import { EventStore } from '@expunge/deleter/dist/jobs/event-store.repository.js';
import { JobRepository } from '@expunge/deleter/dist/jobs/job.repository.js';
import { Outbox } from '@expunge/deleter/dist/outbox.service.js';
import { RecordsRepository } from '@expunge/deleter/dist/records/records.repository.js';
import { scopeOf } from '@expunge/deleter/dist/scope-of.js';
import { contest, type Deleted, type Stores, type Task } from '../throughput/contestant.js';
import { Purges } from '../throughput/purges.js';
import { instance, openDatabase, openPublisher } from './open.js';
import { does } from './steps.js';

/** The deleter's own; null: the step does not write the job, or tell its events. */
interface Parts {
  records: RecordsRepository;
  jobs: JobRepository | null;
  outbox: Outbox | null;
}

async function partsOf({ step, mongodbUrl, expunge }: Task): Promise<Parts> {
  const records = new RecordsRepository(openDatabase(mongodbUrl), new Map([[receipts.name, receipts]]));
  if (!does(step, 'plan')) return { records, jobs: null, outbox: null };
  const own = openDatabase(expunge.mongodbUrl, 'deleter');
  const jobs = new JobRepository(own);
  await jobs.createIndexes();
  if (!does(step, 'events')) return { records, jobs, outbox: null };
  const events = new EventStore(own);
  await events.createIndexes();
  return { records, jobs, outbox: new Outbox(events, await openPublisher(expunge.rabbitmqUrl)) };
}

/** Found by who does not look: all of the plan has gone, and nobody else refers to a key. */
const unseen: Aftermath = { standing: new Map(), referred: new Set(), heldOutside: new Set() };

let opened: Promise<Parts> | undefined;

/**
 * The floor's loop with the deleter's own parts, as many of them as the step asks for: what is left out of the deleter is
 * all that serves other jobs, other workers and other states than that of a job that runs. Purges are still its own.
 */
async function deleteKeepingPromises(task: Task, stores: Stores, tenant: string): Promise<Deleted> {
  const { records, jobs, outbox } = await (opened ??= partsOf(task));
  const began = performance.now();
  const result: Deleted = { records: 0, objects: 0, firstBatchMs: 0 };
  const purges = new Purges(stores, task.tuning.purges);
  const clock = await records.clock();
  let job = newJob(task, tenant, await records.bound(receipts, tenant, new Date()));
  await jobs?.insert(job);
  const scope = scopeOf(job);
  const keyPrefix = keyPrefixOf(receipts, tenant);
  let writeMs = 0;

  const read = (after: WireId | null) => records.page(receipts, scope, after, task.tuning.page, null);
  const planned = (resolved: DeletionJob, page: Page): DeletionJob => {
    if (!isFull(page)) return resolved;
    const until = deletableUntil(clock.earliest(), writeMs);
    return planBatch(resolved, page, { owner: instance, until, keyPrefix, bucket: receipts.bucket, now: new Date() });
  };
  const write = async (change: DeletionJob): Promise<DeletionJob> => {
    if (!jobs) return change;
    const asked = performance.now();
    const written = await jobs.write(change);
    writeMs = performance.now() - asked;
    return written;
  };
  const flush = async (): Promise<Set<string>> =>
    outbox ? await outbox.flush(job) : new Set(job.outbox.map(({ id }) => id));
  const deleted = async (plan: Plan): Promise<Aftermath> => {
    const outcome = await records.delete(receipts, scope, plan, clock);
    if (!outcome.answered || outcome.refused) throw new Error('a delete came too late, or was refused');
    result.firstBatchMs ||= performance.now() - began;
    return does(task.step, 'looks') ? records.aftermath(receipts, scope, plan) : unseen;
  };

  job = await write(planned(job, await read(null)));
  for (let plan = planOf(job); plan; plan = planOf(job)) {
    const meanwhile = Promise.all([flush(), read(plan.closesAt)]);
    const consequence = consequenceOf(plan, await deleted(plan));
    const [flushed, next] = await meanwhile;
    const facts = { newlyRetained: [], instance, now: new Date(), recordsNow: clock.latest() };
    const resolved = jobs ? resolvePlan(job, consequence, facts) : withLane(job, { plan: null });
    job = await write(planned(withoutFlushed(resolved, flushed), next));
    result.records += consequence.gone;
    await purges.add(consequence.objectKeys);
  }
  await Promise.all([flush(), purges.end()]);
  return { ...result, objects: purges.objects };
}

const planOf = (job: DeletionJob): Plan | null => job.lanes[0].plan;

function newJob(task: Task, tenant: string, bound: DeletionJob['bound']): DeletionJob {
  const [id, now] = [randomUUID(), new Date()];
  const request = DeleteRequested.create({
    id: deleteRequestedId(id),
    source: 'urn:expunge:bench',
    subject: id,
    time: now.toISOString(),
    tenantid: tenant,
    data: {
      resource: receipts.name,
      selection: { all: true },
      options: { batchSize: task.tuning.page },
      requestedBy: 'bench',
      reason: null,
      notAfter: new Date(now.getTime() + 600_000).toISOString(),
    },
  });
  return startJob(request, { bodyHash: '', bound, total: null, instance, now });
}

await contest(deleteKeepingPromises);
