import { createLogger } from '@expunge/runtime';
import { openStore } from '@expunge/runtime/store';
import { BrokerConnection, BrokerPublisher, type Publisher } from '@expunge/messaging';
import type { Db } from 'mongodb';

export const instance = 'bench';
const identity = { service: 'deleter', instance, host: 'bench', version: '0', startedAt: new Date() };
const log = createLogger(identity, 'silent', true);
const WITHIN_MS = 10_000;

/** As the deleter opens its stores: writes wait for what its own wait for. Without a name, the database of the URL. */
export const openDatabase = (url: string, name?: string): Db => openStore(url, instance, log).db(name);

/** Of a connection that has declared all of Expunge's exchanges and queues, so that events have queues to wait in. */
export async function openPublisher(url: string): Promise<Publisher> {
  const broker = new BrokerConnection({ url, identity, log });
  broker.start();
  if (!(await broker.whenConnected(WITHIN_MS))) throw new Error('no connection to the broker');
  return new BrokerPublisher({ broker, log });
}
