import { FoldProbe, workQueues } from '@expunge/contracts';
import type { Publisher } from '@expunge/messaging';
import type { Logger } from 'pino';
import type { FoldMarkRepository } from './fold-mark.repository.js';
import type { InHand } from './in-hand.js';
import { SOURCE } from '../projection/status.js';

export interface FoldBeatOptions {
  instance: string;
  marks: FoldMarkRepository;
  inHand: InHand;
  publisher: Publisher;
  isConnected: () => boolean;
  log: Logger;
  everyMs?: number;
}

/** The mark is older than this: its instance may be gone, and the broker may have chosen another. */
const SILENT_MS = 3000;

/**
 * Keeps the fold's mark fresh while this instance is the single active consumer. Only a delivery proves that it is;
 * one that is idle learns it from a probe, which any instance sends when it sees nobody fold. So a frozen instance
 * cannot look fresh because another one spoke for it.
 */
export class FoldBeat {
  private active = false;
  private writing: Promise<void> | null = null;
  private again = false;
  private timer: NodeJS.Timeout | undefined;
  private probes = 0;

  constructor(private readonly options: FoldBeatOptions) {}

  start(): void {
    this.timer ??= setInterval(() => void this.tick(), this.options.everyMs ?? 1000);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.active = false;
    await this.writing;
  }

  /** A delivery was folded, or a probe arrived: this instance folds. */
  delivered(): void {
    this.active = true;
    this.again = true;
    this.writing ??= this.write();
  }

  private async write(): Promise<void> {
    const { marks, log } = this.options;
    while (this.again) {
      this.again = false;
      await marks.takeOver(this.now()).catch((error: unknown) => log.debug({ err: error }, 'fold not marked'));
    }
    this.writing = null;
  }

  private async tick(): Promise<void> {
    const { marks, isConnected, log } = this.options;
    if (!isConnected()) this.active = false;
    try {
      if (this.active) this.active = await marks.beat(this.now());
      else if (isConnected()) await this.probeIfSilent();
    } catch (error) {
      log.debug({ err: error }, 'fold not marked');
    }
  }

  private async probeIfSilent(): Promise<void> {
    const { marks, publisher, instance } = this.options;
    const { monitorHeartbeatAgeMs: age } = await marks.asOf();
    if (age !== null && age < SILENT_MS) return;
    // One in three ticks: a probe that waits behind a frozen consumer is not joined by many more.
    if (this.probes++ % 3 !== 0) return;
    const now = new Date().toISOString();
    const id = `${instance}:fold-probe:${now}`;
    const probe = FoldProbe.create({ id, source: SOURCE, subject: instance, time: now, data: { instance } });
    await publisher.send(workQueues.monitorEvents.name, probe);
  }

  private now() {
    const { instance, inHand } = this.options;
    const since = inHand.waitingSince();
    return {
      instance,
      position: inHand.foldedUpTo(),
      waitedMs: since === null ? null : Math.max(0, Date.now() - since),
    };
  }
}
