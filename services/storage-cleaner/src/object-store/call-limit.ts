import type { Logger } from 'pino';
import pLimit from 'p-limit';

/** Calls to one bucket under way at once, until it has shown what it takes. */
export const FIRST_CALLS = 4;
/** As many as the client has sockets. */
export const MOST_CALLS = 32;

/**
 * How many calls may be under way after an answer: half of it once the bucket is busy; as long as it is not, one more for as
 * many answers as calls may be under way.
 */
export function allowedAfter(allowed: number, isBusy: boolean): number {
  return isBusy ? Math.max(1, allowed / 2) : Math.min(MOST_CALLS, allowed + 1 / allowed);
}

/** Lets as many calls be under way as the bucket takes; others wait for their turn. */
export class CallLimit {
  private readonly gate = pLimit(FIRST_CALLS);
  private allowed = FIRST_CALLS;
  private begun = 0;
  /** Calls that had begun when it was halved last: of them the bucket has said all that it will. */
  private halvedAt = 0;

  /** `onHalved` is told how many may be under way from then on. */
  constructor(private readonly onHalved: (calls: number) => void = () => undefined) {}

  /** `isBusy` judges the answer of the bucket; null: it was not asked. */
  run<T>(call: () => Promise<T>, isBusy: (answer: T) => boolean | null): Promise<T> {
    return this.gate(async () => {
      const number = ++this.begun;
      const isFull = this.gate.activeCount >= this.gate.concurrency;
      const answer = await call();
      const busy = isBusy(answer);
      // With fewer under way it has not shown that it takes more.
      if (busy === false && isFull) this.allow(allowedAfter(this.allowed, false));
      if (busy === true && number > this.halvedAt) {
        this.halvedAt = this.begun;
        this.allow(allowedAfter(this.allowed, true));
        this.onHalved(this.gate.concurrency);
      }
      return answer;
    });
  }

  private allow(calls: number): void {
    this.allowed = calls;
    this.gate.concurrency = Math.floor(calls);
  }
}

/** One limit a bucket, for all messages of this process together. */
export class CallLimits {
  private readonly limits = new Map<string | undefined, CallLimit>();

  constructor(private readonly log: Logger) {}

  /** Undefined: S3_BUCKET. */
  of(bucket: string | undefined): CallLimit {
    const known = this.limits.get(bucket);
    if (known) return known;
    const limit = new CallLimit((calls) => {
      this.log.warn({ bucket, calls }, `the bucket is busy: ${calls} calls at once at most`);
    });
    this.limits.set(bucket, limit);
    return limit;
  }
}
