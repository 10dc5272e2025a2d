import { setTimeout as delay } from 'node:timers/promises';

/** @throws when `check` gave nothing truthy within that time */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  withinMs = 10_000,
): Promise<Exclude<T, false | null | undefined>> {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await check();
    if (found !== false && found !== null && found !== undefined) return found as Exclude<T, false | null | undefined>;
    if (Date.now() >= end) throw new Error(`${what}: not within ${withinMs} ms`);
    await delay(20);
  }
}
