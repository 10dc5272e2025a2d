import { Management } from './management.js';

/** A vhost of one's own on a broker: nobody else's queues, bindings or messages. */
export interface Vhost {
  readonly url: string;
  drop(): Promise<void>;
}

/** @param brokerUrl `amqp://user:password@host:port`, of a user who may create vhosts */
export async function createVhost(brokerUrl: string, managementUrl: string, name: string): Promise<Vhost> {
  const management = new Management(managementUrl);
  const url = new URL(brokerUrl);
  await management.createVhost(name, decodeURIComponent(url.username));
  url.pathname = `/${encodeURIComponent(name)}`;
  return { url: url.href, drop: () => management.deleteVhost(name) };
}
