import { MAINTENANCE_EXCHANGE } from '@expunge/contracts';
import { type BrokerConnection, passiveLook } from '@expunge/messaging';
import { CheckError, within } from '@expunge/runtime';
import type { Logger } from 'pino';
import { type BrokerView, nothingSeen } from './broker-view.js';
import type { ManagementApi, ManagementView } from './management.adapter.js';

const ANSWER_WITHIN_MS = 2_000;

type Broker = Pick<BrokerConnection, 'connected' | 'blocked' | 'lastError' | 'openChannel'>;

/** Looks at the broker: over its management API, and by passive declares for what that does not tell. */
export class BrokerLook {
  constructor(
    private readonly broker: Broker,
    private readonly management: ManagementApi | null,
    private readonly log: Logger,
  ) {}

  /** Never rejects. */
  async take(): Promise<BrokerView> {
    const at = new Date().toISOString();
    const seen = await this.management?.look();
    const isSilent = seen === undefined || (seen.queues === null && seen.exchanges === null);
    const why =
      seen === undefined
        ? 'RABBITMQ_MANAGEMENT_URL is not set'
        : (seen.notChecked[0]?.why ?? 'the management API is off');
    // Who may not list consumers is told their number by the queue's statistics, but seconds late. And one that is listed
    // without its connection has just come, or has gone with the queue that it consumed.
    const isCounted = seen?.consumers?.every(({ connection }) => connection !== null) === true;
    const passive = isSilent || !isCounted ? await this.passive(why) : null;
    const { connected, blocked, lastError } = this.broker;
    // A host that is frozen keeps its connections open for some seconds, and answers on none.
    const own =
      isSilent && passive === 'no answer'
        ? { connected: false, blocked, error: `it does not answer within ${ANSWER_WITHIN_MS} ms` }
        : { connected, blocked, error: lastError?.message ?? null };
    const view = passive === null || passive === 'no answer' ? seen : isSilent ? passive : withCountsOf(passive, seen);
    return { ...nothingSeen(at, null), ...view, ...own };
  }

  private async passive(why: string): Promise<ManagementView | null | 'no answer'> {
    // From a connection that it blocks the broker reads nothing.
    if (!this.broker.connected || this.broker.blocked !== null) return null;
    try {
      const { hasExchange, queues } = await within(ANSWER_WITHIN_MS, passiveLook(this.broker));
      return {
        version: null,
        exchanges: hasExchange ? [{ name: MAINTENANCE_EXCHANGE, type: 'topic' }] : [],
        bindings: null,
        queues: queues.map(({ name, ready, consumers: consumerCount }) => ({
          name,
          ready,
          unacknowledged: 0,
          consumerCount,
          acknowledged: null,
          redelivered: null,
        })),
        consumers: null,
        alarms: null,
        notChecked: ['bindings', 'consumers', 'alarms'].map((what) => ({ what, why })),
      };
    } catch (err) {
      if (err instanceof CheckError) return 'no answer';
      this.log.debug({ err }, 'the broker could not be looked at');
      return null;
    }
  }
}

/** RabbitMQ 3.10 lists a consumer of a quorum queue on, without its channel, after the queue was deleted. */
function withCountsOf({ queues: declared }: ManagementView, seen: ManagementView): ManagementView {
  const counts = new Map(declared?.map(({ name, consumerCount }) => [name, consumerCount]));
  const queues = seen.queues?.map((one) => ({ ...one, consumerCount: counts.get(one.name) ?? one.consumerCount }));
  const listed = Map.groupBy(seen.consumers ?? [], ({ queue }) => queue);
  const consumers = seen.consumers?.filter(
    ({ queue, connection }) =>
      connection !== null || (listed.get(queue)?.length ?? 0) <= (counts.get(queue) ?? Infinity),
  );
  return { ...seen, queues: queues ?? null, consumers: consumers ?? null };
}
