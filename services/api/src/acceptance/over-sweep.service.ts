import { LOGGER } from '@expunge/runtime';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import { AcceptanceRepository } from './acceptance.repository.js';

const EVERY_MS = 60_000;
const AT_ONCE = 1000;

/** Removes acceptances that are over. Any instance may, at the same time as others. */
@Injectable()
export class OverSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<unknown> | null = null;

  constructor(
    @Inject(AcceptanceRepository) private readonly acceptances: AcceptanceRepository,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.sweeping ??= this.run(new Date())
        .catch((error: unknown) => this.log.warn({ err: error }, 'acceptances that are over are not removed yet'))
        .finally(() => (this.sweeping = null));
    }, EVERY_MS);
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
  }

  /** One round. Throws TransientError when the store is away. */
  async run(now: Date): Promise<void> {
    const removed = await this.acceptances.removeOver(now, AT_ONCE);
    if (removed > 0) this.log.info({ removed }, 'acceptances that are over are removed');
  }
}
