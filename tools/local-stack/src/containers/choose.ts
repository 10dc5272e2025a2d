import { containerEngine, imagesOf, missingImages } from './engine.js';

export type ServersIn = 'local' | 'containers';

/** What `EXPUNGE_SERVERS` says, or null where it says nothing. @throws Error it says neither */
export function serversIn(env: NodeJS.ProcessEnv): ServersIn | null {
  const said = env['EXPUNGE_SERVERS'] ?? '';
  if (said === '') return null;
  if (said === 'local' || said === 'containers') return said;
  throw new Error(`EXPUNGE_SERVERS must be local or containers, not ${said}`);
}

/**
 * Writes into `EXPUNGE_SERVERS` what it does not say yet, for every stack that is started with this environment: containers
 * where an engine answers that has the images already, else the local stack; and says which, and why.
 */
export async function chooseServers(env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<void> {
  const { rabbitmq, mongodb } = imagesOf(env);
  const said = serversIn(env);
  const missing = said === null ? await whatIsMissing(env) : null;
  const chosen = said ?? (missing === null ? 'containers' : 'local');
  env['EXPUNGE_SERVERS'] = chosen;
  const why = missing ?? 'EXPUNGE_SERVERS says so';
  say(
    chosen === 'containers'
      ? `RabbitMQ and MongoDB run in containers of ${rabbitmq} and ${mongodb}`
      : `RabbitMQ and MongoDB run in the local stack: ${why}`,
  );
}

/** Null: nothing that containers need. */
async function whatIsMissing(env: NodeJS.ProcessEnv): Promise<string | null> {
  try {
    const missing = await missingImages(await containerEngine(), imagesOf(env));
    return missing.length === 0 ? null : `the container engine has no ${missing.join(', no ')}`;
  } catch (error) {
    return (error as Error).message;
  }
}
