import { bodyOf, idOf, isCommand, Relay, requestOf, withBody } from './relay.js';

/**
 * The records' server, as one that refuses to delete some records because it cannot: record by record in the order of the
 * ids it goes, what comes before the first of them is gone, and then it says so.
 */
export class RefusingServer {
  readonly refuses = new Set<string>();
  /** Deletes that were refused. */
  refused = 0;
  #relay: Relay | undefined;

  /** @param url of the engine */
  static async before(url: string): Promise<{ server: RefusingServer; url: string }> {
    const server = new RefusingServer();
    const { relay, url: ofRelay } = await Relay.before(url, () => {
      const spoilt = new Set<number>();
      return {
        asked: (message) => server.#asked(message, spoilt),
        answered: (message) => answered(message, spoilt),
      };
    });
    server.#relay = relay;
    return { server, url: ofRelay };
  }

  async close(): Promise<void> {
    await this.#relay?.close();
  }

  #asked(message: Buffer, spoilt: Set<number>): Buffer {
    if (!isCommand(message) || this.refuses.size === 0) return message;
    const body = bodyOf(message) as { delete?: string; deletes?: [{ q: { $and: [{ _id: { $in: unknown[] } }] } }] };
    const ids = body.deletes?.[0].q.$and[0]._id.$in ?? [];
    const first = ids.findIndex((id) => this.refuses.has(String(id)));
    if (first < 0) return message;
    this.refused += 1;
    spoilt.add(idOf(message));
    ids.splice(first);
    return withBody(message, body);
  }
}

function answered(message: Buffer, spoilt: Set<number>): Buffer {
  if (!spoilt.delete(requestOf(message))) return message;
  const writeErrors = [{ index: 0, code: 121, errmsg: 'Document failed validation' }];
  return withBody(message, { ...bodyOf(message), writeErrors });
}
