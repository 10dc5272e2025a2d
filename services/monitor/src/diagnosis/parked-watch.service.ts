import { allWorkQueues, parkedQueue } from '@expunge/contracts';
import type { BrokerConnection, ParkedQueues } from '@expunge/messaging';
import { within } from '@expunge/runtime';
import type { Logger } from 'pino';
import type { ParkedSeen } from './circumstances.js';

const LOOKED_AT = 50;
const ANSWER_WITHIN_MS = 2_000;

/** Whose messages lie in the parking queues. Each look gives them back, so only a change of their number is looked at. */
export class ParkedWatch {
  private readonly counts = new Map<string, number>();
  private readonly seen = new Map<string, { job: string; parked: ParkedSeen }[]>();

  constructor(
    private readonly broker: Pick<BrokerConnection, 'connected' | 'blocked' | 'queueDepth'>,
    private readonly queues: Pick<ParkedQueues, 'look'>,
    private readonly log: Logger,
  ) {}

  /** Asks the queues themselves: the management API's counts are up to five seconds old. */
  async follow(): Promise<void> {
    // On a connection that is blocked nothing is answered.
    if (!this.broker.connected || this.broker.blocked !== null) return;
    const depths = await Promise.all(
      allWorkQueues.map(async ({ name }) => {
        const depth = within(ANSWER_WITHIN_MS, this.broker.queueDepth(parkedQueue(name)));
        return [name, await depth.catch(() => null)] as const;
      }),
    );
    for (const [name, depth] of depths) {
      if (depth !== null && depth !== (this.counts.get(name) ?? 0)) await this.look(name, depth);
    }
  }

  byJob(): Map<string, ParkedSeen[]> {
    const all = new Map<string, ParkedSeen[]>();
    for (const { job, parked } of [...this.seen.values()].flat()) all.set(job, [...(all.get(job) ?? []), parked]);
    return all;
  }

  private async look(queue: string, count: number): Promise<void> {
    try {
      const messages = count === 0 ? [] : (await this.queues.look(queue, LOOKED_AT)).messages;
      // Somebody else who looks at this moment holds what is not seen here: then it is looked at again.
      if (messages.length >= Math.min(count, LOOKED_AT)) this.counts.set(queue, count);
      const seen = messages.flatMap(({ job, type, reason, parkedAt: at }) =>
        job === null ? [] : [{ job, parked: { queue, type, reason, at } }],
      );
      this.seen.set(queue, seen);
    } catch (err) {
      this.log.debug({ err, queue }, 'parked messages could not be looked at');
    }
  }
}
