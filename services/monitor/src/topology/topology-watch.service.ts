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

  constructor(private readonly options: TopologyWatchOptions) {}

  start(): void {
    this.timer ??= setInterval(() => void this.tick(), this.options.everyMs ?? EVERY_MS);
    void this.tick();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  last(): { view: BrokerView; paces: Paces } {
    return { view: this.view, paces: this.moved };
  }

  /** One at a time: a broker that does not answer holds up nobody else. */
  private tick(): Promise<void> {
    return (this.looking ??= this.take().finally(() => (this.looking = null)));
  }

  private async take(): Promise<void> {
    const { look, rollCall, parked, folds, log } = this.options;
    [this.view] = await Promise.all([look.take(), parked.follow()]);
    this.moved = pacesAfter(this.moved, this.view);
    if (!folds() || !this.view.connected) return;
    await rollCall.call(this.view).catch((err: unknown) => {
      log.debug({ err }, 'the roll was not called');
    });
  }
}
