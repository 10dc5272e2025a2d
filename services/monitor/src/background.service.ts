import type { OnApplicationBootstrap, OnApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Readiness } from '@expunge/runtime';
import type { Store } from '@expunge/runtime/store';
import type { FoldBeat } from './fold/fold-beat.service.js';
import type { Verdicts } from './diagnosis/verdicts.service.js';
import type { Sweep } from './redrive/sweep.service.js';
import type { TopologyWatch } from './topology/topology-watch.service.js';

export interface BackgroundOptions {
  store: Store;
  indexed: { createIndexes(): Promise<void> }[];
  beat: FoldBeat;
  sweep: Sweep;
  topology: TopologyWatch;
  verdicts: Verdicts;
  readiness: Readiness;
  log: Logger;
  sweepEveryMs?: number;
}

const LONGEST_PAUSE_MS = 15_000;

/** What the monitor does of itself: creates its indexes, keeps its beat, sweeps. None of it holds up the start. */
export class Background implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  private readonly stopping = new AbortController();
  private indexed = false;
  private work: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: BackgroundOptions) {}

  onApplicationBootstrap(): void {
    const { readiness, store, beat, topology, sweep, verdicts } = this.options;
    readiness.register('database', () => store.ping());
    readiness.register('indexes', () =>
      this.indexed ? Promise.resolve() : Promise.reject(new Error('not created yet')),
    );
    beat.start();
    topology.start();
    this.work = Promise.all([
      this.createIndexes(),
      this.forEver('sweep', () => sweep.run(new Date())),
      this.forEver('verdicts', () => verdicts.run()),
    ]);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.work;
  }

  /** Last: until here, deliveries that were in hand are folded. */
  async onApplicationShutdown(): Promise<void> {
    await this.options.topology.stop();
    await this.options.beat.stop();
    await this.options.store.close();
  }

  /** Ids are unique without an index of ours; positions only with theirs, and the fold does not wait for it. */
  private async createIndexes(): Promise<void> {
    const { indexed, log } = this.options;
    for (
      let pause = 500;
      !this.indexed && !this.stopping.signal.aborted;
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    ) {
      try {
        for (const collection of indexed) await collection.createIndexes();
        this.indexed = true;
      } catch (error) {
        log.warn({ err: error, retryInMs: pause }, 'indexes not created yet');
        await this.pause(pause);
      }
    }
  }

  private async forEver(what: string, run: () => Promise<void>): Promise<void> {
    const { log, sweepEveryMs = 1500 } = this.options;
    let failures = 0;
    while (!this.stopping.signal.aborted) {
      try {
        await run();
        failures = 0;
      } catch (error) {
        failures += 1;
        // An outage is one line, not one every second.
        if (failures === 1) log.warn({ err: error }, `${what} failed`);
      }
      await this.pause(Math.min(sweepEveryMs * 2 ** Math.min(failures, 5), LONGEST_PAUSE_MS));
    }
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.stopping;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (signal.aborted) done();
      else signal.addEventListener('abort', done);
    });
  }
}
