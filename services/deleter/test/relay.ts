import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';
import { engineAt } from '../../../test/support/door.js';

/** Of a message: its length, its id, the id of the request it answers, and what it is; four bytes each. */
const HEADER = 16;
const OP_REPLY = 1;
const OP_MSG = 2013;

export const idOf = (message: Buffer): number => message.readInt32LE(4);
export const requestOf = (message: Buffer): number => message.readInt32LE(8);
export const isCommand = (message: Buffer): boolean => message.readInt32LE(12) === OP_MSG;
/** In the form of old, too, which a driver's first greeting has. */
export const isAnswer = (message: Buffer): boolean => [OP_MSG, OP_REPLY].includes(message.readInt32LE(12));

/** Of one connection: what becomes of each message. */
export interface Changes {
  asked: (message: Buffer) => Buffer;
  answered: (message: Buffer) => Buffer;
}

/** A relay in front of MongoDB's server that may change what passes by. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(address: NetConnectOpts, changes: () => Changes) {
    this.#server = createServer((client) => {
      const engine = connect(address);
      const { asked, answered } = changes();
      for (const [from, to, change] of [
        [client, engine, asked],
        [engine, client, answered],
      ] as const) {
        this.#sockets.add(from);
        relay(from, to, change);
        from.on('error', () => undefined);
        from.on('close', () => {
          to.destroy();
          this.#sockets.delete(from);
        });
      }
    });
  }

  /**
   * @param url of the engine
   * @returns with the host and port where it listens
   */
  static async before(url: string, changes: () => Changes): Promise<{ relay: Relay; host: string; url: string }> {
    const { authority, address } = engineAt(url);
    const relay = new Relay(address, changes);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    const host = `127.0.0.1:${(relay.#server.address() as AddressInfo).port}`;
    return { relay, host, url: url.replace(authority, host) };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Whole messages, each as `change` makes it. */
function relay(from: Socket, to: Socket, change: (message: Buffer) => Buffer): void {
  let rest = Buffer.alloc(0);
  from.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const length = rest.length < HEADER ? Infinity : rest.readInt32LE(0);
      if (rest.length < length) return;
      to.write(change(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
  });
}

/** After flags, and the kind of what follows; of an answer in the form of old, after flags, cursor, place and number. */
const bodyAt = (message: Buffer): number => HEADER + (isCommand(message) ? 4 + 1 : 4 + 8 + 4 + 4);

/** As it is: numbers and dates go on with the types they came with. */
export function bodyOf(message: Buffer): Document {
  const at = bodyAt(message);
  return BSON.deserialize(message.subarray(at, at + message.readInt32LE(at)), { promoteValues: false });
}

/** Of a message that is one document, and nothing after it. */
export function withBody(message: Buffer, body: Document): Buffer {
  const changed = Buffer.concat([message.subarray(0, bodyAt(message)), BSON.serialize(body)]);
  changed.writeInt32LE(changed.length, 0);
  return changed;
}
