import { createServer, type AddressInfo, connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** Stands between the api and the broker, to make the network fail. */
export interface TcpProxy {
  port: number;
  /** What the server answers is held back: requests arrive, confirms do not. */
  mute(): void;
  unmute(): void;
  /** Held connections are cut, new ones pass. */
  cut(): void;
  stop(): Promise<void>;
}

export async function tcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<[client: Socket, server: Socket]>();
  const proxy = createServer((client) => {
    const server = connect(target);
    const pair: [Socket, Socket] = [client, server];
    pairs.add(pair);
    client.pipe(server).pipe(client);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        client.destroy();
        server.destroy();
      });
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const cut = (): void => {
    for (const [client] of pairs) client.destroy();
  };
  return {
    port: (proxy.address() as AddressInfo).port,
    mute: () => {
      for (const [client, server] of pairs) {
        server.unpipe(client);
        server.pause();
      }
    },
    unmute: () => {
      for (const [client, server] of pairs) server.pipe(client);
    },
    cut,
    stop: async () => {
      cut();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
