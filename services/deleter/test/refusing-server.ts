import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';
import { engineAt } from '../../../test/support/door.js';

/** Of a message: its length, its id, the id of the request it answers, and what it is; four bytes each. */
const HEADER = 16;
const OP_MSG = 2013;
/** After flags, and the kind of what follows: the command, or its answer. */
const BODY = HEADER + 4 + 1;

/**
 * A relay in front of the records' server that refuses to delete some records, as a server does that cannot: record by
 * record in the order of the ids it goes, what comes before the first of them is gone, and then it says so.
 */
export class RefusingServer {
  readonly refuses = new Set<string>();
  /** Deletes that were refused. */
  refused = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(address: NetConnectOpts) {
    this.#server = createServer((client) => {
      const engine = connect(address);
      const spoilt = new Set<number>();
      for (const [from, to, change] of [
        [client, engine, (message: Buffer) => this.#asked(message, spoilt)],
        [engine, client, (message: Buffer) => answered(message, spoilt)],
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

  /** @param url of the engine */
  static async before(url: string): Promise<{ server: RefusingServer; url: string }> {
    const { authority, address } = engineAt(url);
    const server = new RefusingServer(address);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    const { port } = server.#server.address() as AddressInfo;
    return { server, url: url.replace(authority, `127.0.0.1:${port}`) };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #asked(message: Buffer, spoilt: Set<number>): Buffer {
    if (message.readInt32LE(12) !== OP_MSG || this.refuses.size === 0) return message;
    const body = bodyOf(message) as { delete?: string; deletes?: [{ q: { $and: [{ _id: { $in: unknown[] } }] } }] };
    const ids = body.deletes?.[0].q.$and[0]._id.$in ?? [];
    const first = ids.findIndex((id) => this.refuses.has(String(id)));
    if (first < 0) return message;
    this.refused += 1;
    spoilt.add(message.readInt32LE(4));
    ids.splice(first);
    return withBody(message, body);
  }
}

function answered(message: Buffer, spoilt: Set<number>): Buffer {
  if (!spoilt.delete(message.readInt32LE(8))) return message;
  const writeErrors = [{ index: 0, code: 121, errmsg: 'Document failed validation' }];
  return withBody(message, { ...bodyOf(message), writeErrors });
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

/** As it is: numbers and dates go on with the types they came with. */
const bodyOf = (message: Buffer): Document =>
  BSON.deserialize(message.subarray(BODY, BODY + message.readInt32LE(BODY)), { promoteValues: false });

/** A delete and its answer are one document each, and nothing after it. */
function withBody(message: Buffer, body: Document): Buffer {
  const changed = Buffer.concat([message.subarray(0, BODY), BSON.serialize(body)]);
  changed.writeInt32LE(changed.length, 0);
  return changed;
}
