/** What must work before this instance counts as ready. A check throws, or takes too long, when it does not. */
export class Readiness {
  private readonly checks = new Map<string, () => Promise<void>>();

  constructor(private readonly timeoutMs = 2000) {}

  register(name: string, check: () => Promise<void>): void {
    this.checks.set(name, check);
  }

  /** Runs every check at once; each name with null, or with what is wrong. */
  async report(): Promise<{ ready: boolean; checks: Record<string, string | null> }> {
    const entries = await Promise.all(
      [...this.checks].map(async ([name, check]): Promise<[string, string | null]> => {
        try {
          await within(this.timeoutMs, check());
          return [name, null];
        } catch (error) {
          return [name, error instanceof Error ? error.message : String(error)];
        }
      }),
    );
    return { ready: entries.every(([, problem]) => problem === null), checks: Object.fromEntries(entries) };
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export const READINESS = Symbol('Readiness');
