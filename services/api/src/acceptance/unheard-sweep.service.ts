import { type BrokerConnection, PUBLISHER, type Publisher } from '@expunge/messaging';
import { BROKER, LOGGER } from '@expunge/runtime';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import { MonitorsAdapter } from '../monitors/monitors.adapter.js';
import { type Acceptance, deleteRequestedOf } from './acceptance.js';
import { AcceptanceRepository } from './acceptance.repository.js';
import { isFresh, verdict } from './unheard.js';

const EVERY_MS = 5000;
const AT_ONCE = 200;

/**
 * Publishes again what was accepted and then lost with its queues before anybody read it: until a monitor knows the
 * job, its acceptance is all there is of it. Any instance may, at the same time as others.
 */
@Injectable()
export class UnheardSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | null = null;
  private closing = false;
  private indexed = false;
  private failing = false;

  constructor(
    @Inject(AcceptanceRepository) private readonly acceptances: AcceptanceRepository,
    @Inject(MonitorsAdapter) private readonly monitors: MonitorsAdapter,
    @Inject(PUBLISHER) private readonly publisher: Publisher,
    @Inject(BROKER) private readonly broker: BrokerConnection,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.sweeping ??= this.tick().finally(() => (this.sweeping = null));
    }, EVERY_MS);
  }

  async onModuleDestroy(): Promise<void> {
    this.closing = true;
    clearInterval(this.timer);
    await this.sweeping;
  }

  /** One look at what is due at `now`. Throws when the store is away, or the broker does not take a message. */
  async run(now: Date): Promise<void> {
    if (!this.broker.connected) return;
    const due = await this.acceptances.unheard(now, AT_ONCE);
    if (due.length === 0) return;
    // Asked before the jobs: what is due was confirmed long before this, so a fresh fold has it by now.
    const asOf = await this.monitors.asOf();
    if (!asOf || !isFresh(asOf)) return;
    for (const acceptance of due) {
      if (this.closing || !(await this.look(acceptance, now))) return;
    }
  }

  /** False when no monitor answers any more. */
  private async look(acceptance: Acceptance, now: Date): Promise<boolean> {
    const { _id: job, tenant } = acceptance;
    const { kind } = await this.monitors.job(job, tenant);
    const decided = verdict(acceptance, kind, now);
    if (decided.do === 'mark-heard') await this.acceptances.markHeard(job);
    // Noted first: no two instances publish at once, and a message that fails does not hold up the others.
    if (decided.do === 'publish-again' && (await this.acceptances.notePublishing(acceptance, decided.lookAt))) {
      await this.publisher.publish(deleteRequestedOf(acceptance));
      this.log.warn({ job, tenant, acceptedAt: acceptance.time }, 'published again: no monitor has heard of it');
    }
    return kind !== 'unreachable';
  }

  private async tick(): Promise<void> {
    try {
      if (!this.indexed) await this.acceptances.createIndexes();
      this.indexed = true;
      await this.run(new Date());
      this.failing = false;
    } catch (error) {
      // An outage is one line, not one every five seconds.
      if (!this.failing) this.log.warn({ err: error }, 'could not look for what no monitor has heard of');
      this.failing = true;
    }
  }
}
