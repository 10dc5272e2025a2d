import { parseMessage, type AnyMessage, MAINTENANCE_EXCHANGE, parkedQueue, workQueues } from '@expunge/contracts';
import { BrokerConnection } from '@expunge/messaging';
import { identify } from '@expunge/runtime';
import { pino } from 'pino';

/** A second connection to the broker under test: looks into queues, and breaks things. */
export class Bystander {
  readonly #broker: BrokerConnection;

  constructor(url: string) {
    const identity = identify('monitor', undefined, 'test');
    this.#broker = new BrokerConnection({ url, identity, log: pino({ level: 'silent' }) });
    this.#broker.start();
  }

  /** Consumes, and does nothing with what it is given, until it is told to leave. */
  async listenTo(queues: readonly string[]): Promise<() => Promise<void>> {
    const channel = await this.#broker.openChannel();
    for (const queue of queues) await channel.consume(queue, () => undefined);
    return () => channel.close();
  }

  /** The next messages of a queue, at least `atLeast`, waited for. They are taken off it. */
  async take(queue: string, atLeast = 1): Promise<AnyMessage[]> {
    if (!(await this.#broker.whenConnected(10_000))) throw new Error('no broker');
    const channel = await this.#broker.openChannel();
    const taken: AnyMessage[] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${taken.length} of ${atLeast} messages in ${queue}`)), 10_000);
        void channel.consume(queue, (delivery) => {
          if (!delivery) return;
          const parsed = parseMessage(delivery.content);
          channel.ack(delivery);
          if (!parsed.ok) {
            reject(new Error(parsed.reason));
            return;
          }
          taken.push(parsed.message);
          if (taken.length < atLeast) return;
          clearTimeout(late);
          resolve();
        });
      });
    } finally {
      await channel.close();
    }
    return taken;
  }

  async depth(queue: string): Promise<number> {
    return this.#broker.queueDepth(queue);
  }

  async empty(): Promise<void> {
    if (!(await this.#broker.whenConnected(10_000))) throw new Error('no broker');
    const channel = await this.#broker.openChannel();
    for (const { name } of Object.values(workQueues)) {
      await channel.purgeQueue(name);
      await channel.purgeQueue(parkedQueue(name));
    }
    await channel.close();
  }

  async put(queue: string, body: string, headers: Record<string, unknown>): Promise<void> {
    const channel = await this.#broker.openConfirmChannel();
    channel.sendToQueue(queue, Buffer.from(body), { persistent: true, headers });
    await channel.waitForConfirms();
    await channel.close();
  }

  async deleteQueue(queue: string): Promise<void> {
    const channel = await this.#broker.openChannel();
    await channel.deleteQueue(queue);
    await channel.close();
  }

  /** Afterwards a DeleteRequested goes nowhere. */
  async unbind(): Promise<void> {
    const channel = await this.#broker.openChannel();
    for (const { name, bindings } of Object.values(workQueues)) {
      for (const binding of bindings) await channel.unbindQueue(name, MAINTENANCE_EXCHANGE, binding);
    }
    await channel.close();
  }

  async deleteExchange(): Promise<void> {
    const channel = await this.#broker.openChannel();
    await channel.deleteExchange(MAINTENANCE_EXCHANGE);
    await channel.close();
  }

  assertTopology(): Promise<void> {
    return this.#broker.assertTopology();
  }

  close(): Promise<void> {
    return this.#broker.close();
  }
}
