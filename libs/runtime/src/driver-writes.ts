import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** What of the driver's own connection is touched here. */
interface DriverConnection {
  closed: boolean;
  socket: Socket;
  cleanup: (this: DriverConnection, error: Error) => void;
}

/**
 * Mends a fault of the driver (seen in 7.8.0, there in 7.9.0): it prepares a command, and if the connection ends in
 * between, writes to a destroyed socket, which answers false, and waits for a 'drain' that never comes. No timeout ends
 * that: the operation hangs for ever; if it was the driver's own look at the server, every later one fails. A connection
 * that has ended must refuse writes, and release whoever waits to write.
 */
export function endWritesWithTheirConnection(): void {
  const { Connection } = createRequire(import.meta.url)('mongodb/lib/cmap/connection.js') as {
    Connection: { prototype: DriverConnection };
  };
  const { prototype } = Connection;
  const { cleanup } = prototype;
  prototype.cleanup = function (error) {
    const isOver = this.closed;
    cleanup.call(this, error);
    if (isOver) return;
    this.socket.write = () => {
      throw error;
    };
    this.socket.emit('drain');
  };
}
