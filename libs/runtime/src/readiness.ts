import type { Problem } from '@expunge/contracts';
import { CheckError, problemOf, type Problems } from './problem.js';

export interface ReadinessReport {
  ready: boolean;
  /** Each check by its name: null, or what is wrong. */
  checks: Record<string, Problem | null>;
}

/** What must work before this instance counts as ready. A check throws, or takes too long, when it does not. */
export class Readiness {
  private readonly checks = new Map<string, () => Promise<void>>();

  constructor(private readonly timeoutMs = 2000) {}

  /** An error's `code` and `status`, if it has them, are told (see `problemOf`). */
  register(name: string, check: () => Promise<void>): void {
    this.checks.set(name, check);
  }

  /** Runs every check at once. */
  async report(): Promise<ReadinessReport> {
    const entries = await Promise.all(
      [...this.checks].map(async ([name, check]): Promise<[string, Problem | null]> => {
        try {
          await within(this.timeoutMs, check());
          return [name, null];
        } catch (error) {
          return [name, problemOf(error)];
        }
      }),
    );
    return { ready: entries.every(([, problem]) => problem === null), checks: Object.fromEntries(entries) };
  }
}

/** Only the checks that fail. */
export function problemsIn({ checks }: ReadinessReport): Problems {
  return Object.fromEntries(Object.entries(checks).filter((entry): entry is [string, Problem] => entry[1] !== null));
}

/** @throws CheckError TIMEOUT; whatever `work` throws */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CheckError('TIMEOUT', `no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export const READINESS = Symbol('Readiness');
