import mongoose from 'mongoose';
import { type Receipt, type System } from '../support/system.js';

/** What the application knows of one tenant: which records are its own to keep, and how the others have changed. */
export interface Tenant {
  readonly id: string;
  readonly job: string;
  /** As they stood when the job was requested. */
  readonly planned: readonly Receipt[];
  /** Created after the request: nobody may touch them. */
  readonly inserted: Receipt[];
}

/** How often something is tried while database or bucket are away. */
const PATIENCE_MS = 60_000;

/** A user's application that goes on writing while jobs run: new records, and files added to ones that are to go. */
export class Application {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  writes = 0;

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
      await (n % 3 === 0 ? this.insert(tenant) : this.edit(tenant, n));
      this.writes += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private async insert(tenant: Tenant): Promise<void> {
    const _id = new mongoose.mongo.ObjectId();
    const key = `tenants/${tenant.id}/${_id.toHexString()}/new`;
    const receipt: Receipt = { _id, tenantId: tenant.id, company: 'Aria', attachments: [{ key }] };
    await patiently(() => this.system.put([key]));
    // Twice is once: the first insert may have been done though nobody said so.
    await patiently(() => this.system.receipts.replaceOne({ _id }, receipt, { upsert: true }));
    tenant.inserted.push(receipt);
  }

  /** The file first, as an upload would; should the record be gone by then, the application takes its file away again. */
  private async edit(tenant: Tenant, n: number): Promise<void> {
    const victim = tenant.planned[(n * 7919) % tenant.planned.length];
    if (!victim) return;
    const key = `tenants/${tenant.id}/${victim._id.toHexString()}/edit-${n}`;
    await patiently(() => this.system.put([key]));
    const filter = { _id: victim._id, 'attachments.key': { $ne: key } };
    await patiently(() => this.system.receipts.updateOne(filter, { $push: { attachments: { key } } }));
    const standing = await patiently(() => this.system.receipts.findOne({ _id: victim._id }));
    // Whether the job met it with this file or without: deleting it twice is deleting it once.
    if (!standing) await patiently(() => this.system.remove([key]));
  }
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
