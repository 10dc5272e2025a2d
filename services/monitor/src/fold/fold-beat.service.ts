import { setTimeout as delayed } from 'node:timers/promises';
import { FoldProbe, workQueues } from '@expunge/contracts';
import type { BrokerConnection, Publisher } from '@expunge/messaging';
import type { Logger } from 'pino';
import type { Beat, FoldMarkRepository } from './fold-mark.repository.js';
import type { InHand } from './in-hand.js';
import {
  isEmpty,
  isProbeDue,
  lagMs,
  looked,
  nothingKnown,
  probeArrived,
  probeConfirmed,
  probeFailed,
  probeSent,
} from './lag.js';
import { SOURCE } from '../projection/status.js';
import { depthsOf } from '../queue-depths.adapter.js';

export interface FoldBeatOptions {
  instance: string;
  marks: FoldMarkRepository;
  inHand: InHand;
  broker: Pick<BrokerConnection, 'connected' | 'queueDepth'>;
  publisher: Publisher;
  log: Logger;
  everyMs?: number;
}

/** The mark is older than this: its instance may be gone, and the broker may have chosen another. */
const SILENT_MS = 3000;
/** Deliveries within so many milliseconds are marked once. */
const MARK_EVERY_MS = 100;
const QUEUE = workQueues.monitorEvents.name;

/**
 * Keeps the fold's mark fresh while this instance is the single active consumer. Only a delivery proves that it is;
 * one that is idle learns it from a probe, which any instance sends when it sees nobody fold. So a frozen instance
 * cannot look fresh because another one spoke for it. With each beat it looks how much waits for it, and sends itself
 * a probe to measure how long.
 */
export class FoldBeat {
  private active = false;
  private backlog = nothingKnown;
  private looking: Promise<void> | null = null;
  private writing: Promise<void> | null = null;
  private again = false;
  private timer: NodeJS.Timeout | undefined;
  private probes = 0;

  constructor(private readonly options: FoldBeatOptions) {}

  /** Whether this instance is the one that folds, as far as it knows. */
  folds(): boolean {
    return this.active;
  }

  start(): void {
    this.timer ??= setInterval(() => void this.tick(), this.options.everyMs ?? 1000);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.active = false;
    await this.writing;
  }

  probed(id: string): void {
    this.begin();
    this.backlog = probeArrived(this.backlog, id, Date.now());
    this.delivered();
  }

  /** A delivery was folded, or a probe arrived: this instance folds. The first says so at once. */
  delivered(): void {
    this.begin();
    this.again = true;
    this.writing ??= this.write();
  }

  /** What was known in an earlier term says nothing of now: another instance may have folded in between. */
  private begin(): void {
    if (!this.active) this.backlog = nothingKnown;
    this.active = true;
  }

  private async write(): Promise<void> {
    const { marks, log } = this.options;
    while (this.again) {
      this.again = false;
      await marks.takeOver(this.now()).catch((error: unknown) => log.debug({ err: error }, 'fold not marked'));
      await delayed(MARK_EVERY_MS);
    }
    this.writing = null;
  }

  private async tick(): Promise<void> {
    const { broker, log } = this.options;
    if (!broker.connected) this.active = false;
    try {
      if (this.active) await this.beat();
      else if (broker.connected) await this.probeIfSilent();
    } catch (error) {
      log.debug({ err: error }, 'fold not marked');
    }
  }

  /** A broker that does not answer holds up one beat, not those after it. */
  private async beat(): Promise<void> {
    if (this.looking === null) await (this.looking = this.look().finally(() => (this.looking = null)));
    if (this.active) this.active = await this.options.marks.beat(this.now());
  }

  private async look(): Promise<void> {
    const { broker, inHand } = this.options;
    const at = Date.now();
    const depths = await depthsOf(broker, QUEUE).catch(() => null);
    const look = depths && { at, ...depths };
    this.backlog = looked(this.backlog, look);
    if (look && isEmpty(look)) inHand.nothingLeft(at);
    if (isProbeDue(this.backlog)) void this.measure();
  }

  private async measure(): Promise<void> {
    const probe = this.newProbe();
    // Before it is confirmed: it may arrive first.
    this.backlog = probeSent(this.backlog, probe.id, Date.now());
    try {
      await this.options.publisher.send(QUEUE, probe);
      this.backlog = probeConfirmed(this.backlog, probe.id, Date.now());
    } catch (error) {
      this.backlog = probeFailed(this.backlog, probe.id);
      this.options.log.debug({ err: error }, 'no probe sent');
    }
  }

  private async probeIfSilent(): Promise<void> {
    const { marks, publisher } = this.options;
    const { monitorHeartbeatAgeMs: age } = await marks.asOf();
    if (age !== null && age < SILENT_MS) return;
    // One in three ticks: a probe that waits behind a frozen consumer is not joined by many more.
    if (this.probes++ % 3 !== 0) return;
    await publisher.send(QUEUE, this.newProbe());
  }

  private newProbe(): FoldProbe {
    const { instance } = this.options;
    const time = new Date().toISOString();
    const id = `${instance}:fold-probe:${time}`;
    return FoldProbe.create({ id, source: SOURCE, subject: instance, time, data: { instance } });
  }

  private now(): Beat {
    const { instance, inHand } = this.options;
    return {
      instance,
      position: inHand.foldedUpTo(),
      unfoldable: inHand.unfoldable(),
      lagMs: lagMs(this.backlog, inHand.unfolded(), Date.now()),
      lagOfOthersMs: lagMs(this.backlog, inHand.unfoldedOfOthers(), Date.now()),
    };
  }
}
