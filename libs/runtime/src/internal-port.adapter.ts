import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { type INestApplication, NotFoundException } from '@nestjs/common';

/** Whatever the router takes for one of them: it tells no capitals, bears a slash at the end, and decodes nothing. */
const isInternal = (path: string): boolean => /^\/(health|metrics)(\/|$)/i.test(path);

/** A port of its own for what orchestrators and Prometheus ask: there is nothing else on it, and nothing of it elsewhere. */
export class InternalPort {
  readonly #server: Server;
  readonly #requests = new WeakSet<IncomingMessage>();

  /** Before anything else is made of the application's HTTP. */
  constructor(
    app: INestApplication,
    private readonly port: number,
  ) {
    const answer = app.getHttpAdapter().getInstance() as RequestListener;
    this.#server = createServer((request, response) => {
      this.#requests.add(request);
      answer(request, response);
    });
    app.use((request: IncomingMessage & { path: string }, _response: unknown, next: (error?: Error) => void) => {
      if (isInternal(request.path) === this.#requests.has(request)) next();
      else next(new NotFoundException());
    });
  }

  /** @throws the socket's error */
  async listen(host: string): Promise<void> {
    this.#server.listen(this.port, host);
    await once(this.#server, 'listening');
  }

  /** Answers stay possible while the service drains. */
  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
