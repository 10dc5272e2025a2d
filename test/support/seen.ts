import { until } from '@expunge/local-stack';

type Awaitable<T> = T | Promise<T>;

/** What `look` finds, as soon as that is anything. */
export async function seen<T>(
  what: string,
  look: () => Awaitable<T | null | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  let found: T | null | undefined | false;
  await until(
    what,
    async () => {
      found = await look();
      return Boolean(found);
    },
    withinMs,
  );
  return found as T;
}
