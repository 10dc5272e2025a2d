import { ended, System } from '../../test/support/system.js';
import type { Fill } from './fill.js';
import { bucketsOf, quantileBetween, sampled } from './metrics.js';
import { openPlace, serverPids } from './place.js';
import { usedBy } from './processes.js';
import { round, type Run, runOf, type Subject } from './run.js';

/** Expunge as it is: every check on, nothing set. */
export async function runExpunge(subject: Subject, fill: Fill, deleters: number): Promise<Run> {
  const place = await openPlace(subject.bucket, fill);
  const system = await System.start({ deleters, servers: place.servers });
  try {
    const warmUp = await system.request(fill.warmUp.name, { selection: { all: true } });
    await untilCompleted(system, [warmUp]);
    const pids = { ...servicePids(system), ...serverPids(system.stack), ...place.pids };
    const { measured } = fill;
    const [before, told] = [usedBy(pids), await metricsOf(system)];
    const { job, requestedAt, seconds } = await deleteAll(system, measured.name, measured.records);
    const [after, toldThen] = [usedBy(pids), await metricsOf(system)];
    await place.check(system.stack);
    const firstBatchMs = (await firstBatchAt(system, job)) - requestedAt;
    const took = { records: measured.records, objects: measured.keys.length, seconds, firstBatchMs };
    return { ...runOf(subject, took, before, after), ...expungeOnly(took, told, toldThen) };
  } finally {
    await system.stop();
    await place.close();
  }
}

/** From just before the request until its projection, from which the API answers, says completed. */
export async function deleteAll(system: System, tenant: string, records: number) {
  const [requestedAt, began] = [Date.now(), performance.now()];
  const options = { expected_max_records: records };
  const job = await system.request(tenant, { selection: { all: true }, options });
  await untilCompleted(system, [job]);
  return { job, requestedAt, seconds: (performance.now() - began) / 1000 };
}

const LOOK_EVERY_MS = 20;

/** Looked at past the API, fifty times a second: to ask that so often costs a good part of a core. */
export async function untilCompleted(system: System, ids: readonly string[]): Promise<void> {
  const jobs = system.database('monitor').collection<{ _id: string; status: string }>('jobs');
  for (;;) {
    const found = await jobs.find({ _id: { $in: [...ids] } }, { projection: { status: 1 } }).toArray();
    const over = found.filter(({ status }) => ended.includes(status));
    const other = over.find(({ status }) => status !== 'completed');
    if (other) throw new Error(`${other._id} is ${other.status}`);
    if (over.length === ids.length) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

export const servicePids = (system: System): Record<string, number> =>
  Object.fromEntries(system.services.all.map(({ name, process }) => [name, process.pid]));

/** What each service tells of itself. */
export const metricsOf = (system: System): Promise<string[]> =>
  Promise.all(system.services.all.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));

async function firstBatchAt(system: System, job: string): Promise<number> {
  const ledger = system
    .database('monitor')
    .collection<{ job: string; message: { type: string; time: string } }>('ledger');
  const first = await ledger.findOne({ job, 'message.type': 'BatchDeleted' }, { sort: { position: 1 } });
  return Date.parse(first?.message.time ?? '');
}

/** From an event to its fold. */
export function foldMs(before: readonly string[], after: readonly string[]): { p50: number; p99: number } {
  const [then, now] = [before, after].map((texts) => bucketsOf(texts, 'expunge_fold_delay'));
  const ms = (share: number) => round(1000 * quantileBetween(then ?? new Map(), now ?? new Map(), share));
  return { p50: ms(0.5), p99: ms(0.99) };
}

function expungeOnly(
  { records, objects }: { records: number; objects: number },
  before: readonly string[],
  after: readonly string[],
): Pick<Run, 'messages' | 'fold_ms'> {
  const published = (texts: readonly string[]) => sampled(texts, 'messaging_client_operation_duration_count');
  const messages = published(after) - published(before);
  const perObject = objects === 0 ? null : round(messages / objects, 4);
  return {
    messages: { per_record: round(messages / records, 4), per_object: perObject },
    fold_ms: foldMs(before, after),
  };
}
