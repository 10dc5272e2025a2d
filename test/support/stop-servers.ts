import type { WithTestServers } from './start-servers.js';

export default async function stopServers(): Promise<void> {
  await (globalThis as WithTestServers).expungeTestServers?.stop();
}
