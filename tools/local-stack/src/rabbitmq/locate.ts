import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const usual = [
  // Debian's /usr/sbin/rabbitmq-server insists on the system's rabbitmq user; this is what it calls.
  '/usr/lib/rabbitmq/bin/rabbitmq-server',
  '/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server',
  '/usr/local/opt/rabbitmq/sbin/rabbitmq-server',
];

/** The server's own start script, or null. */
export function locateRabbitMq(): string | null {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'rabbitmq-server'));
  return [...usual, ...onPath].find((file) => existsSync(file)) ?? null;
}
