import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** A header arrives within milliseconds, or from somebody who does not mean to end it. */
const UNFINISHED_MS = 1_000;

/**
 * A server's connections, so that it can be closed in time: Node waits for each for ever, also for one in the middle
 * of a header, once `close()` has stopped the timer that would end those.
 */
export class HttpConnections {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #unanswered = new Set<IncomingMessage>();

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      this.#unanswered.add(request);
      response.once('close', () => this.#unanswered.delete(request));
    });
  }

  /** Takes no more; idle connections end at once, others when they are answered, all after `withinMs`. */
  async drain(withinMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const ending = setInterval(() => this.#endAllBut(this.#answering()), Math.min(UNFINISHED_MS, withinMs));
    const late = setTimeout(() => this.#endAllBut(new Set()), withinMs);
    await closed;
    clearInterval(ending);
    clearTimeout(late);
  }

  #answering(): Set<Socket> {
    return new Set([...this.#unanswered].map((request) => request.socket));
  }

  #endAllBut(kept: ReadonlySet<Socket>): void {
    for (const socket of this.#sockets) if (!kept.has(socket)) socket.destroy();
  }
}
