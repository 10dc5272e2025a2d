import { once } from 'node:events';
import type { GuardedProcess } from './guarded-process.js';

/** Waits for the `{ready: pid}` a host script of ours sends when its server answers. */
export async function reportedReady(process: GuardedProcess, signal: AbortSignal): Promise<number> {
  const [message] = (await once(process.channel, 'message', { signal })) as [{ ready: number }];
  return message.ready;
}
