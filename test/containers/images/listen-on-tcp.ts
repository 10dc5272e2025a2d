import { connect, createServer } from 'node:net';

// Before host.ts: node --import ./listen-on-tcp.ts host.ts /data/db <socket>. The engine listens on a Unix socket only.
const socket = process.argv.at(-1) ?? '';

createServer((client) => {
  const engine = connect(socket);
  for (const [one, other] of [[client, engine] as const, [engine, client] as const]) {
    one.on('error', () => other.destroy());
    one.pipe(other);
  }
}).listen(27_017, '0.0.0.0');
