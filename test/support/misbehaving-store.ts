import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the store met it. `keys` are those of a bulk delete. */
export interface Met {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  keys: string[];
  body: Buffer;
}

/** What is said of one key of a bulk delete. `deleted` is only said. */
export type KeyAnswer = 'deleted' | 'silence' | { code: string };

export type Behaviour =
  /** The real store behind answers; asked only after `after`. */
  | { does: 'pass'; after?: Promise<void> }
  /** The real store does what it is asked, and its answer is lost on the way. */
  | { does: 'lose-answer' }
  /** Of a bulk delete the real store is asked for the keys that pass; of the others it is said what `of` says. */
  | { does: 'partly'; of: (key: string) => 'pass' | KeyAnswer }
  | Answer
  /** Takes the request and never answers. */
  | { does: 'nothing' }
  /** Begins an answer and never ends it. */
  | { does: 'half' }
  | { does: 'reset' };

interface Answer {
  does: 'answer';
  status: number;
  body: string;
  headers?: Record<string, string>;
}

export interface MisbehavingStore {
  endpoint: string;
  met: Met[];
  /** What the next requests meet; `n` counts them from 1 since this was said. */
  behave(behaviour: (met: Met, n: number) => Behaviour): void;
  close(): Promise<void>;
}

export const xml = (body: string): string => `<?xml version="1.0" encoding="UTF-8"?>${body}`;
export const errorXml = (code: string): string =>
  xml(`<Error><Code>${code}</Code><Message>${code} it is</Message></Error>`);

/** The answer to a bulk delete: deleted, refused with a code, or not a word. */
export function deleteResult(keys: string[], of: (key: string) => KeyAnswer): Answer {
  const entries = keys.map((key) => {
    const what = of(key);
    if (what === 'silence') return '';
    if (what === 'deleted') return `<Deleted><Key>${key}</Key></Deleted>`;
    return `<Error><Key>${key}</Key><Code>${what.code}</Code><Message>${what.code} it is</Message></Error>`;
  });
  return { does: 'answer', status: 200, body: xml(`<DeleteResult>${entries.join('')}</DeleteResult>`) };
}

/**
 * A real HTTP server in front of `upstream` that does to a request what the test says.
 * @param remove takes keys from the real store, for what passes partly: a call's signature covers all of its keys
 */
export async function startMisbehavingStore(
  upstream: string,
  remove: (keys: string[]) => Promise<void> = () => Promise.reject(new Error('nobody is given to remove with')),
): Promise<MisbehavingStore> {
  const met: Met[] = [];
  let behaviour: (met: Met, n: number) => Behaviour = () => ({ does: 'pass' });
  let n = 0;
  const server = createServer((incoming, response) => {
    void bodyOf(incoming).then((body) => {
      const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
      const { method = '', url: path = '', headers } = incoming;
      const one = { method, path, headers, keys, body };
      met.push(one);
      carryOut(behaviour(one, ++n), one, incoming, response);
    });
  });
  const { origin, pathname } = new URL(upstream);

  const sendBody = ({ status, headers, body }: Answer, response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(body);

  /** The host header stays the one that was signed. */
  function forward(one: Met, incoming: IncomingMessage, answered: (answer: IncomingMessage) => void): ClientRequest {
    const forwarded = request(new URL(one.path, origin), { method: one.method, headers: one.headers }, answered);
    return forwarded.on('error', () => incoming.socket.resetAndDestroy());
  }

  function carryOut(does: Behaviour, one: Met, incoming: IncomingMessage, response: ServerResponse): void {
    switch (does.does) {
      case 'answer': {
        sendBody(does, response);
        return;
      }
      case 'half':
        response.writeHead(200, { 'content-type': 'application/xml' }).write(xml('<DeleteResult><Deleted><Key>'));
        return;
      case 'reset':
        incoming.socket.resetAndDestroy();
        return;
      case 'nothing':
        return;
      case 'partly': {
        const answers = new Map(one.keys.map((key) => [key, does.of(key)]));
        const passing = one.keys.filter((key) => answers.get(key) === 'pass');
        const said = deleteResult(one.keys, (key) => {
          const answer = answers.get(key);
          return answer === undefined || answer === 'pass' ? 'deleted' : answer;
        });
        void (passing.length > 0 ? remove(passing) : Promise.resolve()).then(
          () => sendBody(said, response),
          () => incoming.socket.resetAndDestroy(),
        );
        return;
      }
      case 'lose-answer':
        forward(one, incoming, (answer) => {
          answer.resume().once('end', () => incoming.socket.resetAndDestroy());
        }).end(one.body);
        return;
      case 'pass': {
        const forwarded = forward(one, incoming, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        void Promise.resolve(does.after).then(() => forwarded.end(one.body));
      }
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}${pathname}`,
    met,
    behave: (next) => {
      behaviour = next;
      n = 0;
      met.length = 0;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    // The client gave up; what came is all there is.
  }
  return Buffer.concat(chunks);
}
