import { CheckError } from '@expunge/runtime';
import type { ObjectStore, Refusal } from './object-store.js';

/** How long an answer of the bucket stands for the next ones: readiness is asked for every second. */
export const PROBE_EVERY_MS = 5_000;

/** Whether the bucket answers, asked at most once in PROBE_EVERY_MS however often one wants to know. */
export class BucketReadiness {
  private last: { at: number; answer: Promise<Refusal | null> } | null = null;

  constructor(
    private readonly store: Pick<ObjectStore, 'probe'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws CheckError with the store's code, status and message when it refuses or does not answer */
  async check(): Promise<void> {
    const now = this.now();
    if (!this.last || now - this.last.at >= PROBE_EVERY_MS) this.last = { at: now, answer: this.store.probe() };
    const refusal = await this.last.answer;
    if (refusal) {
      const { code, message, status } = refusal;
      throw new CheckError(code, message, status ?? undefined);
    }
  }
}
