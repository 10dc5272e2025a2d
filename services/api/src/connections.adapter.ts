import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PROBLEM_CONTENT_TYPE } from './problems/problem.js';
import { problemOfConnection } from './problems/problem-of.js';
import { traceId } from './problems/trace-id.js';

/** A peer that vanished is found out after that, and the nine probes of the system. */
const PROBED_AFTER_MS = 60_000;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** What goes wrong on a connection where no route is asked: what is sent is no HTTP, or what is answered is not read. */
export class Connections {
  readonly #open = new WeakMap<Duplex, Set<Exchange>>();

  /** @param idleMs who takes nothing of its answer for so long is cut; whoever waits for us is not, however long that takes */
  constructor(server: Server, idleMs: number) {
    server.on('connection', (socket: Socket) => socket.setKeepAlive(true, PROBED_AFTER_MS));
    server.on('request', (request, response) => this.#begin({ request, response }));
    server.on('clientError', (error, socket) => this.#refuse(error, socket));
    server.setTimeout(idleMs, (socket) => {
      if (!this.#waitsForUs(socket)) socket.destroy();
    });
  }

  #begin(exchange: Exchange): void {
    const { socket } = exchange.request;
    const open = this.#open.get(socket) ?? new Set();
    this.#open.set(socket, open.add(exchange));
    exchange.response.once('close', () => open.delete(exchange));
  }

  #waitsForUs(socket: Socket): boolean {
    return socket.writableLength === 0 && (this.#open.get(socket)?.size ?? 0) > 0;
  }

  #refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (error.code === 'ECONNRESET' || !socket.writable || !this.#isAnswerable(socket)) {
      socket.destroy();
      return;
    }
    const problem = problemOfConnection(error.code);
    const body = JSON.stringify({ ...problem, trace_id: traceId() });
    const head = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `Content-Type: ${PROBLEM_CONTENT_TYPE}; charset=utf-8`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    socket.end([...head, '', body].join('\r\n'), () => socket.destroy());
  }

  /** The client would take what is written for the answer to its first request that has none: that must be the broken one. */
  #isAnswerable(socket: Duplex): boolean {
    const [first, ...others] = this.#open.get(socket) ?? [];
    return !first || (others.length === 0 && !first.request.complete && !first.response.headersSent);
  }
}
