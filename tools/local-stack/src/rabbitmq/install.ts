import { isDebianLike } from '../apt.js';
import { ensureInstalled } from '../system-package.js';
import { locateRabbitMq } from './locate.js';

/** The server's start script; installs the system's package when that is missing, allowed and possible. */
export function ensureRabbitMq(cache: string, say: (line: string) => void): Promise<string> {
  return ensureInstalled({ name: 'rabbitmq-server', locate: locateRabbitMq, howToGetIt }, cache, say);
}

function howToGetIt(): string {
  const install = isDebianLike()
    ? 'install it (as root: apt-get install rabbitmq-server)'
    : 'install RabbitMQ 3.10 or newer so that rabbitmq-server is on the PATH';
  return `RabbitMQ is missing: ${install}, or set RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL to one that runs`;
}
