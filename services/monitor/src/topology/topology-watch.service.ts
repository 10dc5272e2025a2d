import type { Logger } from 'pino';
import type { ParkedWatch } from '../diagnosis/parked-watch.service.js';
import type { BrokerLook } from './broker-look.service.js';
import { type BrokerView, nothingSeen } from './broker-view.js';
import { type Paces, pacesAfter } from './paces.js';
import type { RollCall } from './roll-call.service.js';

export interface TopologyWatchOptions {
  look: BrokerLook;
  rollCall: RollCall;
  parked: Pick<ParkedWatch, 'follow'>;
  /** Whether this instance folds: one alone calls the roll. */
  folds: () => boolean;
  log: Logger;
  everyMs?: number;
}

const EVERY_MS = 2_000;

/** Keeps this instance's last view of the broker, and how queues moved since; calls the roll. */
export class TopologyWatch {
  private view: BrokerView = nothingSeen(new Date(0).toISOString(), 'not looked at yet');
  private moved: Paces = new Map();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | null = null;
  private following: Promise<void> | null = null;

  constructor(private readonly options: TopologyWatchOptions) {}

  start(): void {
    this.timer ??= setInterval(() => this.tick(), this.options.everyMs ?? EVERY_MS);
    this.tick();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([this.looking, this.following]);
  }

  last(): { view: BrokerView; paces: Paces } {
    return { view: this.view, paces: this.moved };
  }

  /** One of each at a time, and neither waits for the other: a view must not get old over a look at what was parked. */
  private tick(): void {
    this.looking ??= this.take().finally(() => (this.looking = null));
    this.following ??= this.options.parked.follow().finally(() => (this.following = null));
  }

  private async take(): Promise<void> {
    const { look, rollCall, folds, log } = this.options;
    this.view = await look.take();
    this.moved = pacesAfter(this.moved, this.view);
    if (!folds() || !this.view.connected) return;
    await rollCall.call(this.view).catch((err: unknown) => {
      log.debug({ err }, 'the roll was not called');
    });
  }
}
