import { inHalves } from '../in-halves.js';
import type { LedgerMessage, Recorded } from '../projection/recorded.js';
import { entryOf, type LedgerRepository } from './ledger.repository.js';

/** Most entries of one write. */
const GROUP = 200;
/**
 * From then on the last position is read anew: another instance may have appended in between, and what it appended may
 * have been removed since, which no index would say.
 */
const IDLE_MS = 60_000;

interface Waiting {
  message: LedgerMessage;
  resolve: (recorded: Recorded) => void;
  reject: (error: unknown) => void;
}

/**
 * Gives each message its position. One write at a time takes all that wait: so positions have no gaps and become
 * visible in their order, and a hundred deliveries cost one journal flush.
 */
export class Appender {
  private readonly waiting: Waiting[] = [];
  private writing = false;
  /** Null: to be read from the ledger. */
  private next: number | null = null;
  private usedAt = -Infinity;

  constructor(
    private readonly ledger: LedgerRepository,
    private readonly idleMs = IDLE_MS,
  ) {}

  /**
   * Resolves when the message stands in the ledger, with what stands there: for an id heard before, the first
   * message with it. Whoever appends must fold what it gets, known or not: the first append may not have been folded.
   * @throws TransientError the store is away; the message may stand in the ledger all the same
   */
  append(message: LedgerMessage): Promise<Recorded> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ message, resolve, reject });
      if (!this.writing) void this.write();
    });
  }

  private async write(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) await inHalves(this.waiting.splice(0, GROUP), (group) => this.appendAll(group));
    this.writing = false;
  }

  private async appendAll(group: readonly Waiting[]): Promise<void> {
    const recorded = await this.record(group.map(({ message }) => message)).catch((error: unknown) => {
      this.next = null;
      throw error;
    });
    for (const { message, resolve, reject } of group) {
      const entry = recorded.get(message.id);
      if (entry) resolve(entry);
      else reject(new Error(`${message.id} was neither appended nor found`));
    }
  }

  private async record(messages: LedgerMessage[]): Promise<Map<string, Recorded>> {
    const recorded = new Map<string, Recorded>();
    let pending = [...new Map(messages.map((message) => [message.id, message])).values()];
    while (pending.length > 0) {
      if (performance.now() - this.usedAt > this.idleMs) this.next = null;
      const next = this.next ?? (await this.ledger.lastPosition()) + 1;
      const receivedAt = new Date();
      const entries = pending.map((message, i) => entryOf(message, next + i, receivedAt));
      const { inserted, refused } = await this.ledger.insertInOrder(entries);
      for (const { position, message } of entries.slice(0, inserted)) recorded.set(message.id, { position, message });
      // A taken position means that another instance was the active consumer in between.
      this.next = refused === 'position' ? null : next + inserted;
      this.usedAt = performance.now();
      pending = pending.slice(inserted);
      if (refused === 'id') {
        const known = await this.ledger.recorded(pending.map((message) => message.id));
        for (const entry of known) recorded.set(entry.message.id, entry);
        pending = pending.filter((message) => !recorded.has(message.id));
      }
    }
    return recorded;
  }
}
