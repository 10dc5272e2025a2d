import { BrokerConnection, BrokerPublisher } from '@expunge/messaging';
import { identify } from '@expunge/runtime';
import { pino } from 'pino';

export const silent = pino({ level: 'silent' });

/** A connection and a publisher for a test that plays another service on its own vhost. */
export async function connectAs(service: 'deleter' | 'monitor', url: string) {
  const broker = new BrokerConnection({ url, identity: identify(service, `test-${service}`, 'test'), log: silent });
  const publisher = new BrokerPublisher({ broker, log: silent });
  broker.start();
  if (!(await broker.whenConnected(10_000))) throw new Error('the test broker does not answer');
  return {
    broker,
    publisher,
    close: async () => {
      await publisher.close();
      await broker.close();
    },
  };
}

/** A setting of the servers that the integration tests share. */
export function testServer(name: 'MONGODB_URL' | 'RABBITMQ_URL' | 'RABBITMQ_MANAGEMENT_URL'): string {
  const value = process.env[`EXPUNGE_TEST_${name}`];
  if (value === undefined) throw new Error(`EXPUNGE_TEST_${name} is not set: run it as an integration test`);
  return value;
}
