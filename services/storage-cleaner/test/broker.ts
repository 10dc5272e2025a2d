import {
  type AnyMessage,
  BatchDeleted,
  inBucket,
  MAINTENANCE_EXCHANGE,
  parseMessage,
  workQueues,
} from '@expunge/contracts';
import { BrokerConnection, BrokerPublisher } from '@expunge/messaging';
import { pino } from 'pino';

/** The deleter's and the monitor's end of the broker. */
export interface Broker {
  publisher: BrokerPublisher;
  /** Every event of the storage-cleaner, and what it says of a bucket, in the order the broker had them. */
  events: AnyMessage[];
  depth(queue: string): Promise<number>;
  /** Takes the events of the storage-cleaner from the monitor and from here, so that nothing is bound for them; or gives them back. */
  hear(events: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function openBroker(url: string): Promise<Broker> {
  const log = pino({ level: 'silent' });
  const identity = { service: 'test', instance: 'test', host: 'test', version: '0', startedAt: new Date() };
  const broker = new BrokerConnection({ url, identity, log });
  broker.start();
  if (!(await broker.whenConnected(10_000))) throw broker.lastError ?? new Error('no broker');
  const publisher = new BrokerPublisher({ broker, log });
  const channel = await broker.openChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, MAINTENANCE_EXCHANGE, 'objects.#');
  await channel.bindQueue(queue, MAINTENANCE_EXCHANGE, 'resource.checked');
  const events: AnyMessage[] = [];
  await channel.consume(
    queue,
    (delivery) => {
      const parsed = parseMessage(delivery?.content ?? '');
      if (!parsed.ok) throw new Error(parsed.reason);
      events.push(parsed.message);
    },
    { noAck: true },
  );
  return {
    publisher,
    events,
    depth: (name) => broker.queueDepth(name),
    hear: async (events) => {
      for (const name of [workQueues.monitorEvents.name, queue]) {
        if (events) await channel.bindQueue(name, MAINTENANCE_EXCHANGE, 'objects.#');
        else await channel.unbindQueue(name, MAINTENANCE_EXCHANGE, 'objects.#');
      }
    },
    close: async () => {
      await publisher.close();
      await channel.close();
      await broker.close();
    },
  };
}

/** A batch as the deleter hands it over; `bucket`: of a resource that names it. */
export function batchDeleted(job: string, batch: number, objectKeys: string[], bucket?: string): BatchDeleted {
  const time = new Date().toISOString();
  const totals = { batches: batch, succeeded: batch, failed: 0, objects: objectKeys.length, retained: 0 };
  const data = { batch, count: 1, objectKeys, retained: [], failures: [], totals };
  return BatchDeleted.create({
    ...envelope(job, `${batch}`, time),
    data: { ...data, instance: 'deleter-1', turn: 1, startedAt: time, ...inBucket(bucket) },
  });
}

export function envelope(job: string, id: string, time = new Date().toISOString()) {
  return { id: `${job}:${id}`, source: 'urn:expunge:deleter', subject: job, time, tenantid: 't1' };
}
