import { allWorkQueues, MAINTENANCE_EXCHANGE, queueDeclarations } from '@expunge/contracts';
import type { Channel } from 'amqplib';
import type { BrokerConnection } from './broker-connection.adapter.js';

/** What AMQP alone tells of the declared topology; a queue that is not listed does not exist. */
export interface PassiveLook {
  hasExchange: boolean;
  queues: { name: string; ready: number; consumers: number }[];
}

type Broker = Pick<BrokerConnection, 'openChannel'>;

const NOT_FOUND = 404;

/**
 * Asks by passive declares, which need no rights beyond those of a client, but close their channel when there is nothing.
 * @throws BrokerUnavailableError, or what else the broker refuses
 */
export async function passiveLook(broker: Broker): Promise<PassiveLook> {
  const names = allWorkQueues.flatMap(queueDeclarations).map(({ name }) => name);
  const exchange = await ifFound(broker, (channel) => channel.checkExchange(MAINTENANCE_EXCHANGE));
  const queues = await Promise.all(names.map((name) => ifFound(broker, (channel) => channel.checkQueue(name))));
  return {
    hasExchange: exchange !== null,
    queues: queues.flatMap((found) =>
      found ? [{ name: found.queue, ready: found.messageCount, consumers: found.consumerCount }] : [],
    ),
  };
}

async function ifFound<T>(broker: Broker, check: (channel: Channel) => Promise<T>): Promise<T | null> {
  const channel = await broker.openChannel();
  try {
    return await check(channel);
  } catch (error) {
    if ((error as { code?: number }).code === NOT_FOUND) return null;
    throw error;
  } finally {
    await channel.close().catch(() => undefined);
  }
}
