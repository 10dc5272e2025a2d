import { allWorkQueues, MAINTENANCE_EXCHANGE, queueDeclarations, type WorkQueue } from '@expunge/contracts';
import { Management, type Supervised } from '@expunge/local-stack';
import { type ConfirmChannel, connect } from 'amqplib';
import type { System } from './system.js';

/** On a connection of its own: what is refused harms nobody else's. */
export async function atBroker<T>(system: System, work: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
  const connection = await connect(system.stack.rabbitmq.url);
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    return await work(channel);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** The broker's own server, which is to be one of the local stack. */
export function brokerServer(system: System): Supervised {
  const { server } = system.stack.rabbitmq;
  if (!server) throw new Error('this fault needs a broker of the local stack');
  return server;
}

/** Everything that services declare there goes, with what stands in it. */
export async function deleteQueues(system: System, which: (queue: string) => boolean): Promise<void> {
  await atBroker(system, async (channel) => {
    for (const { name } of allWorkQueues.filter((queue) => which(queue.name)).flatMap(queueDeclarations)) {
      await channel.deleteQueue(name);
    }
  });
}

/** As services declare it. */
export async function declareQueue(system: System, queue: WorkQueue): Promise<void> {
  await atBroker(system, async (channel) => {
    const [own] = queueDeclarations(queue).filter(({ name }) => name === queue.name);
    await channel.assertQueue(queue.name, { durable: true, arguments: own?.arguments });
  });
}

export async function removeBindings(system: System): Promise<void> {
  await atBroker(system, async (channel) => {
    for (const { name, bindings } of allWorkQueues) {
      for (const key of bindings) await channel.unbindQueue(name, MAINTENANCE_EXCHANGE, key);
    }
  });
}

const management = (system: System): Management => new Management(system.stack.rabbitmq.managementUrl);

/** Connections as the broker knows them, some seconds late. */
export async function connections(system: System): Promise<{ name: string; user_provided_name?: string }[]> {
  return JSON.parse(await management(system).call('GET', '/api/connections')) as { name: string }[];
}

/** One that has ended meanwhile is closed. */
export async function closeConnection(system: System, name: string): Promise<void> {
  await management(system)
    .call('DELETE', `/api/connections/${encodeURIComponent(name)}`)
    .catch((error: unknown) => {
      if (!String(error).includes('answered 404')) throw error;
    });
}

/** On the broker's own node, which is to be one of ours. */
export async function rabbitmqctl(system: System, ...args: string[]): Promise<string> {
  const { ctl } = system.stack.rabbitmq;
  if (!ctl) throw new Error('this fault needs a broker of the local stack');
  return ctl(...args);
}

/** All of a queue's messages, those that somebody holds included. */
export async function messagesIn(system: System, queue: string): Promise<number> {
  const { pathname } = new URL(system.stack.rabbitmq.url);
  const vhost = decodeURIComponent(pathname.slice(1)) || '/';
  const lines = await rabbitmqctl(system, '-q', 'list_queues', '-p', vhost, '--no-table-headers', 'name', 'messages');
  const [, messages] =
    lines
      .split('\n')
      .map((line) => line.split('\t'))
      .find(([name]) => name === queue) ?? [];
  if (messages === undefined) throw new Error(`there is no queue ${queue}`);
  return Number(messages);
}
