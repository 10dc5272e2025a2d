import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition by asking, for at most `within` milliseconds; the error says what was waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, within: number): Promise<void> {
  const end = Date.now() + within;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${within / 1000} s`);
    await delay(50);
  }
}
