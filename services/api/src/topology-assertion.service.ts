import type { BrokerConnection } from '@expunge/messaging';
import { BROKER, LOGGER } from '@expunge/runtime';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';

const EVERY_MS = 5000;

/** Whoever deletes a queue or a binding loses at most what is sent in the next five seconds, and is told so by a 503. */
@Injectable()
export class TopologyAssertion implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private running = false;

  constructor(
    @Inject(BROKER) private readonly broker: BrokerConnection,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.assert(), EVERY_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async assert(): Promise<void> {
    if (this.running || !this.broker.connected) return;
    this.running = true;
    try {
      await this.broker.assertTopology();
    } catch (error) {
      this.log.warn({ err: error }, 'topology could not be asserted');
    } finally {
      this.running = false;
    }
  }
}
