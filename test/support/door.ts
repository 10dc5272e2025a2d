import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unique } from './servers.js';

/** Where the engine of a `mongodb://` URL listens: on a Unix socket, or at a host's port. */
export function engineAt(url: string): { authority: string; address: NetConnectOpts } {
  const [, authority = ''] = /^mongodb:\/\/([^/]+)\//.exec(url) ?? [];
  const path = decodeURIComponent(authority);
  if (path.startsWith('/')) return { authority, address: { path } };
  const [host = '', port] = authority.split(':');
  return { authority, address: { host, port: Number(port ?? 27_017) } };
}

/** A door in front of the real engine, that can be shut: the server is then unreachable, and what was open is cut. */
export class Door {
  /** The engine's, through the door. */
  readonly url: string;
  private readonly path = join(tmpdir(), `${unique('door')}.sock`);
  private readonly engine: NetConnectOpts;
  /** A request that holds this text ends its connection, and never arrives. */
  cutOn: string | null = null;
  /** Each answer comes so much later; `cut` when it is no longer to, lest answers overtake each other. */
  slowByMs = 0;
  private held = false;
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();

  constructor(url: string) {
    const { authority, address } = engineAt(url);
    this.engine = address;
    this.url = url.replace(authority, encodeURIComponent(this.path));
  }

  open(): Promise<void> {
    this.server = createServer((inside) => {
      const outside = connect(this.engine);
      for (const socket of [inside, outside]) {
        this.sockets.add(socket);
        socket.on('error', () => socket.destroy());
      }
      inside.on('close', () => outside.destroy());
      outside.on('close', () => inside.destroy());
      if (this.held) return;
      inside.on('data', (data) => {
        if (this.cutOn !== null && data.includes(this.cutOn)) inside.destroy();
        else outside.write(data);
      });
      outside.on('data', (data) => {
        if (this.slowByMs === 0) inside.write(data);
        else setTimeout(() => inside.write(data), this.slowByMs);
      });
    });
    return new Promise((resolve) => this.server?.listen(this.path, resolve));
  }

  /** Until it is shut, whoever asks gets no answer, and is not told that it is none. */
  hold(): void {
    this.held = true;
    for (const socket of this.sockets) socket.pause();
  }

  /** Whoever is connected is not any more, and may come again. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }

  shut(): Promise<void> {
    this.held = false;
    this.cut();
    return new Promise((resolve) => (this.server ? this.server.close(() => resolve()) : resolve()));
  }
}
