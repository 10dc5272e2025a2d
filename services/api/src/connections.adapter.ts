import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { PROBLEM_CONTENT_TYPE } from './problems/problem.js';
import { problemOfConnection } from './problems/problem-of.js';
import { traceId } from './problems/trace-id.js';

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** What goes wrong on a connection where no route is asked. */
export class Connections {
  readonly #open = new WeakMap<Duplex, Set<Exchange>>();

  constructor(server: Server) {
    server.on('request', (request, response) => this.#begin({ request, response }));
    server.on('clientError', (error, socket) => this.#refuse(error, socket));
  }

  #begin(exchange: Exchange): void {
    const { socket } = exchange.request;
    const open = this.#open.get(socket) ?? new Set();
    this.#open.set(socket, open.add(exchange));
    exchange.response.once('close', () => open.delete(exchange));
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
