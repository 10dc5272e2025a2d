import { WorkerHeartbeat } from '@expunge/contracts';
import { BrokerConnection } from '@expunge/messaging';
import { pino } from 'pino';

/** What a monitor hears: every heartbeat of a vhost, in order. */
export interface Beats {
  readonly heard: WorkerHeartbeat[];
  of(instance: string): WorkerHeartbeat[];
  close(): Promise<void>;
}

export async function listenToBeats(url: string): Promise<Beats> {
  const identity = { service: 'test', instance: 'listener', host: 'test', version: '0', startedAt: new Date() };
  const broker = new BrokerConnection({ url, identity, log: pino({ level: 'silent' }) });
  broker.start();
  if (!(await broker.whenConnected(20_000))) throw broker.lastError ?? new Error('no broker');
  const channel = await broker.openChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'maintenance', 'worker.#');
  const heard: WorkerHeartbeat[] = [];
  await channel.consume(
    queue,
    (message) => {
      if (message) heard.push(WorkerHeartbeat.schema.parse(JSON.parse(message.content.toString())));
    },
    { noAck: true },
  );
  return {
    heard,
    of: (instance) => heard.filter(({ subject }) => subject === instance),
    close: () => broker.close(),
  };
}
