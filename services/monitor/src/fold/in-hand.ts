import type { Unfolded } from './lag.js';

interface Failed {
  since: number;
  failedAt: number;
  /** Set when it is the fold's own fault. */
  error: FoldError | null;
}

interface Delivered {
  since: number;
  position: number | null;
  /** What kept it the last time. */
  error: FoldError | null;
}

export interface FoldError {
  job: string;
  message: string;
}

export interface NotFolded extends FoldError {
  event: string;
  since: number;
}

const UNFOLDED_SHOWN = 20;

/** Of a long outage, the first deliveries that failed tell how long it is. */
const FAILED_KEPT = 1000;
/** Until a failed delivery stands in its tier, as it is published there and confirmed. */
const SETTLED_WITHIN_MS = 5000;

/** What was delivered to this instance and is not folded yet. Times in milliseconds. */
export class InHand {
  private readonly deliveries = new Map<symbol, Delivered>();
  private readonly failed = new Map<string, Failed>();
  private last = 0;

  /**
   * Call `recorded` when it has its position, `folded` when it was folded, `gone` in any case. What is gone without
   * having been folded waits since it was first taken, until it is taken again and folded.
   */
  take(
    id: string,
    now: number,
  ): { recorded(position: number): void; folded(): void; failed(error: FoldError): void; gone(now: number): void } {
    const key = Symbol();
    const before = this.failed.get(id);
    const since = before?.since ?? now;
    const delivery: Delivered = { since, position: null, error: before?.error ?? null };
    let isFolded = false;
    let error: FoldError | null = null;
    this.deliveries.set(key, delivery);
    return {
      recorded: (position) => (delivery.position = position),
      folded: () => {
        isFolded = true;
        this.failed.delete(id);
        this.last = Math.max(this.last, delivery.position ?? 0);
      },
      failed: (why) => (error = why),
      gone: (now) => {
        this.deliveries.delete(key);
        const isKept = this.failed.has(id) || this.failed.size < FAILED_KEPT;
        if (!isFolded && isKept) this.failed.set(id, { since, failedAt: now, error });
      },
    };
  }

  /** Queue and tiers were empty at that time: what failed before was folded elsewhere, parked or purged. */
  nothingLeft(at: number): void {
    for (const [id, { failedAt }] of this.failed) if (failedAt + SETTLED_WITHIN_MS < at) this.failed.delete(id);
  }

  /** `since`: when the oldest of them first arrived. */
  unfolded(): Unfolded {
    return this.unfoldedOf([...this.deliveries.values(), ...this.failed.values()]);
  }

  /**
   * Without what is kept by a fault of its own job, which is told as `unfoldable`; but of more jobs than are told there,
   * the fold itself is at fault.
   */
  unfoldedOfOthers(): Unfolded {
    const failed = [...this.failed.values()];
    const jobs = new Set(failed.flatMap(({ error }) => (error ? [error.job] : [])));
    if (jobs.size > UNFOLDED_SHOWN) return this.unfolded();
    const isOthers = ({ error }: { error: FoldError | null }) => error === null;
    return this.unfoldedOf([...this.deliveries.values(), ...failed].filter(isOthers));
  }

  private unfoldedOf(waiting: readonly { since: number }[]): Unfolded {
    const since = waiting.length === 0 ? null : Math.min(...waiting.map((one) => one.since));
    return { since, failed: this.failed.size > 0 };
  }

  /** What could not be folded though its database was there, the longest first. */
  unfoldable(): NotFolded[] {
    return [...this.failed]
      .flatMap(([event, { since, error }]) => (error ? [{ event, since, ...error }] : []))
      .slice(0, UNFOLDED_SHOWN);
  }

  /** The greatest position folded with none below it still in hand; 0 before the first. */
  foldedUpTo(): number {
    const positions = [...this.deliveries.values()].map(({ position }) => position).filter((p) => p !== null);
    return Math.min(this.last, ...positions.map((position) => position - 1));
  }
}
