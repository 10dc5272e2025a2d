import type { Records } from '../src/records/records.js';

/** The same object with one method replaced; the replacement is given the real one. */
export function intercept<T extends object, K extends keyof T>(
  target: T,
  method: K,
  replacement: T[K] extends (...args: infer A) => infer R ? (real: (...args: A) => R, ...args: A) => R : never,
): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (typeof value !== 'function') return value;
      const real = value.bind(object) as (...args: unknown[]) => unknown;
      if (name !== method) return real;
      return (...args: unknown[]) => (replacement as (...all: unknown[]) => unknown)(real, ...args);
    },
  });
}

/** Records whose clock is ahead: whoever uses it need not wait for the deadline of a worker that is really dead. */
export function withClockAhead(ms: number): (records: Records) => Records {
  return (records) =>
    intercept(records, 'clock', async (clock) => {
      const real = await clock();
      return {
        earliest: () => new Date(real.earliest().getTime() + ms),
        latest: () => new Date(real.latest().getTime() + ms),
      };
    });
}
