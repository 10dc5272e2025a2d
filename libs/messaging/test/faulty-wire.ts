import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A method frame of channel 0: connection.close (10, 50) with code 320, no text, and no method to blame. */
const CONNECTION_CLOSE = Buffer.from([1, 0, 0, 0, 0, 0, 11, 0, 10, 0, 50, 1, 64, 0, 0, 0, 0, 0, 0xce]);

/** A TCP relay in front of the broker, on which a network's faults are made. */
export class FaultyWire {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  #held = false;
  #refusing = false;
  #lastWord: Buffer | undefined;

  private constructor(host: string, port: number) {
    this.#server = createServer((client) => {
      if (this.#refusing) {
        client.destroy();
        return;
      }
      const broker = connect({ host, port, noDelay: true });
      const pair: [Socket, Socket] = [client, broker];
      this.#pairs.add(pair);
      for (const [from, to] of [pair, [broker, client] as const]) {
        from.on('data', (bytes) => void to.write(from === broker ? this.#heard(bytes) : bytes));
        from.on('error', () => undefined);
        from.on('close', () => {
          to.destroy();
          this.#pairs.delete(pair);
        });
      }
      if (this.#held) for (const socket of pair) socket.pause();
    });
  }

  static async before(url: string): Promise<FaultyWire> {
    const { hostname, port } = new URL(url);
    const wire = new FaultyWire(hostname, Number(port));
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  /** The broker's URL, by way of this wire. */
  through(url: string): string {
    const by = new URL(url);
    by.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return by.href;
  }

  /** Both ends see a reset. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** Nothing passes in either direction, and nobody is told. */
  hold(): void {
    this.#held = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** What the broker says does not arrive; what it is told does. */
  deafen(): void {
    for (const [, broker] of this.#pairs) broker.pause();
  }

  release(): void {
    this.#held = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  /** The broker's next frame of this method arrives in one read with a connection.close. */
  closeRightAfter(classId: number, methodId: number): void {
    this.#lastWord = Buffer.from([0, classId, 0, methodId]);
  }

  #heard(bytes: Buffer): Buffer {
    if (!this.#lastWord || !bytes.includes(this.#lastWord)) return bytes;
    this.#lastWord = undefined;
    return Buffer.concat([bytes, CONNECTION_CLOSE]);
  }

  /** New connections end at once, as while a broker restarts. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
