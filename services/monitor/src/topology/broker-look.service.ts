import { MAINTENANCE_EXCHANGE } from '@expunge/contracts';
import { type BrokerConnection, passiveLook } from '@expunge/messaging';
import type { Logger } from 'pino';
import { type BrokerView, nothingSeen } from './broker-view.js';
import type { ManagementApi, ManagementView } from './management.adapter.js';

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
    const view = isSilent ? ((await this.passive(why)) ?? seen) : seen;
    const { connected, blocked, lastError } = this.broker;
    const own = { connected, blocked, error: lastError?.message ?? null };
    return { ...nothingSeen(at, null), ...view, ...own };
  }

  private async passive(why: string): Promise<ManagementView | null> {
    if (!this.broker.connected) return null;
    try {
      const { hasExchange, queues } = await passiveLook(this.broker);
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
      this.log.debug({ err }, 'the broker could not be looked at');
      return null;
    }
  }
}
