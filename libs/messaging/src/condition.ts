/** Something that holds or not. Waiting on it costs one entry in a set, however many wait. */
export class Condition {
  readonly #waiting = new Set<(held: boolean) => void>();
  readonly #holds: () => boolean;

  constructor(holds: () => boolean) {
    this.#holds = holds;
  }

  /** To be called after anything it depends on changed. */
  changed(): void {
    if (!this.#holds()) return;
    for (const wake of [...this.#waiting]) wake(true);
  }

  /** False: it did not hold within that time, or `signal` ended the wait. */
  wait(withinMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#holds()) return Promise.resolve(true);
    if (withinMs <= 0 || signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (held: boolean) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', give);
        this.#waiting.delete(end);
        resolve(held);
      };
      const give = () => {
        end(false);
      };
      const timer = setTimeout(give, withinMs);
      signal?.addEventListener('abort', give);
      this.#waiting.add(end);
    });
  }
}
