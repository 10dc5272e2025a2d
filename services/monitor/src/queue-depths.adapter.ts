import { retryQueue, retryTiers } from '@expunge/contracts';
import type { BrokerConnection } from '@expunge/messaging';

export type Depths = { ready: number; tiers: number };

/**
 * Messages ready in a work queue, and in its retry tiers together. The tiers first: what goes from one of them into the
 * queue meanwhile is counted twice, not missed.
 * @throws TransientError
 */
export async function depthsOf(broker: Pick<BrokerConnection, 'queueDepth'>, queue: string): Promise<Depths> {
  const tiers = await Promise.all(retryTiers.map((tier) => broker.queueDepth(retryQueue(queue, tier))));
  return { tiers: tiers.reduce((sum, depth) => sum + depth, 0), ready: await broker.queueDepth(queue) };
}
