import { MongoServerError, ObjectId } from 'mongodb';
import type { Receipt, System } from '../support/system.js';
import { lastLifeOf, type Life, type PlannedRecord, type Tenant } from './tenant.js';

/** How long something is tried while database or bucket are away. */
const PATIENCE_MS = 60_000;
/** How often one record is inserted again, at most. */
const MOST_LIVES = 4;

/**
 * A user's application that goes on writing while jobs run: new records, files added to records that are to go, and such
 * records deleted and inserted again under their old ids. It notes exactly what it did, and what it cannot know.
 */
export class Application {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  readonly done = { inserted: 0, edited: 0, reinserted: 0 };

  constructor(
    private readonly system: System,
    private readonly tenants: readonly Tenant[],
  ) {}

  start(): void {
    this.running = this.writeForEver();
    // Thrown by stop, and not before: the run goes on and keeps its logs.
    this.running.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async writeForEver(): Promise<void> {
    for (let n = 0; !this.stopping.signal.aborted; n++) {
      const tenant = this.tenants[n % this.tenants.length];
      if (!tenant) return;
      const round = Math.floor(n / this.tenants.length);
      if (round % 3 === 0) await this.insert(tenant);
      else if (round % 3 === 1 && Date.now() < tenant.reinsertUntil) await this.reinsert(tenant, round);
      else await this.edit(tenant, n);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private async insert(tenant: Tenant): Promise<void> {
    const _id = new ObjectId();
    const key = `tenants/${tenant.id}/${_id.toHexString()}/new`;
    const receipt = receiptOf(tenant, _id, key);
    await patiently(() => this.system.put([key]));
    // Twice is once: the first insert may have been done though nobody said so.
    await patiently(() => this.system.receipts.replaceOne({ _id }, receipt, { upsert: true }));
    tenant.inserted.push(receipt);
    this.done.inserted += 1;
  }

  /** The file first, as an upload would. Only if the record was not there any more, the application takes it away again. */
  private async edit(tenant: Tenant, n: number): Promise<void> {
    const record = randomly(tenant.planned, n);
    const life = lastLifeOf(record);
    const key = `tenants/${tenant.id}/${record.id}/edit-${n}`;
    life.keys.push(key);
    await patiently(() => this.system.put([key]));
    const update = { $push: { attachments: { key } } };
    const answer = await once(() => this.system.receipts.updateOne({ _id: idOf(record) }, update));
    this.done.edited += 1;
    const isIn = answer ? answer.value.matchedCount === 1 : (await this.standing(record)).includes(key);
    // Should the job have met it with this file after all: deleting it twice is deleting it once.
    if (!isIn) await patiently(() => this.system.remove([key]));
  }

  /** Deletes a record, if the job has not, and inserts it again: the same id, and another file. */
  private async reinsert(tenant: Tenant, round: number): Promise<void> {
    const record = await this.victim(tenant, round);
    const life = lastLifeOf(record);
    if (life.born === 'perhaps' || record.lives.length === MOST_LIVES) return;
    const answer = await once(() => this.system.receipts.findOneAndDelete({ _id: idOf(record) }));
    if (!answer && (await this.standing(record)).length > 0) return;
    life.taken = answer ? (answer.value ? 'yes' : 'no') : 'perhaps';
    if (life.taken !== 'no') await patiently(() => this.system.remove(life.keys));
    const key = `tenants/${tenant.id}/${record.id}/life-${record.lives.length}`;
    await patiently(() => this.system.put([key]));
    const next: Life = { keys: [key], born: 'perhaps', taken: 'no' };
    record.lives.push(next);
    const inserted = await once(() => this.system.receipts.insertOne(receiptOf(tenant, idOf(record), key)));
    // Not tried again: it may have been inserted, and deleted by the job since.
    if (inserted || (await this.standing(record)).includes(key)) next.born = 'yes';
    this.done.reinserted += 1;
  }

  /** In turns one that the job is about to delete, which is where they meet, and any, gone or not. */
  private async victim(tenant: Tenant, round: number): Promise<PlannedRecord> {
    const any = randomly(tenant.planned, round);
    if (round % 2 === 0) return any;
    const filter = { tenantId: tenant.id };
    const first = await patiently(() => this.system.receipts.findOne(filter, { sort: { _id: 1 } }));
    const id = first?._id.toHexString();
    return tenant.planned.find((record) => record.id === id) ?? any;
  }

  /** The files of a record as it stands. After an engine's death this also tells what became of a write before it. */
  private async standing(record: PlannedRecord): Promise<string[]> {
    const found = await patiently(() => this.system.receipts.findOne({ _id: idOf(record) }));
    return (found?.attachments ?? []).map(({ key }) => key);
  }
}

const idOf = ({ id }: PlannedRecord) => new ObjectId(id);

const receiptOf = (tenant: Tenant, _id: ObjectId, key: string): Receipt => ({
  _id,
  tenantId: tenant.id,
  company: 'Aria',
  attachments: [{ key }],
});

function randomly<T>(all: readonly T[], n: number): T {
  const one = all[(n * 7919) % all.length];
  if (one === undefined) throw new Error('there is none');
  return one;
}

/** Null: nobody knows whether it was done. */
async function once<T>(work: () => Promise<T>): Promise<{ value: T } | null> {
  try {
    return { value: await work() };
  } catch (error) {
    // A server that answers has decided; anything else is a connection that broke.
    if (error instanceof MongoServerError) throw error;
    return null;
  }
}

/** For what may be done twice. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
