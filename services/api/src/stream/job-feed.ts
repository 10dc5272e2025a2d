import type { LedgerEventView } from '@expunge/contracts';
import type { ShownJob } from '../jobs/job-answers.js';
import { eventFrame, isOver, jobFrame } from './frames.js';

/** What a feed reads a job from. */
export interface FeedSource {
  /** Where somebody begins who says that he has all up to there. @throws when nobody answers */
  beginning(asked: number): Promise<number>;
  /** By position, after one; `next` null: there was no more. @throws when nobody answers */
  events(after: number): Promise<{ events: LedgerEventView[]; next: number | null }>;
  job(): Promise<ShownJob>;
}

/** Who follows a job. */
export interface Follower {
  /** It has every event up to here. */
  position: number;
  /** False: it is gone, or too slow, and gets nothing more. */
  take(frames: string): boolean;
  /** Resolves when it has read what it was given; false as for `take`. */
  hasRoom(): Promise<boolean>;
  end(job: ShownJob): void;
}

/** How soon it is looked again without a word from a monitor, which may be lost. */
const LOOK_EVERY_MS = 2_000;

/** One job's events for all who follow it here: each is read, and written in JSON, once. */
export class JobFeed {
  private readonly live = new Set<Follower>();
  /** Whoever is live has every event up to here. */
  private told = 0;
  private catchingUp = 0;
  private looking: Promise<void> | null = null;
  private isWanted = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly source: FeedSource,
    /** Of what went wrong while it looked; it looks again. */
    private readonly failed: (error: unknown) => void,
    private readonly lookEveryMs = LOOK_EVERY_MS,
  ) {}

  get isIdle(): boolean {
    return this.live.size === 0 && this.catchingUp === 0;
  }

  /** Brings a follower to the ledger's end, and keeps it there with the others. @throws when nobody answers */
  async follow(follower: Follower): Promise<void> {
    this.catchingUp++;
    try {
      follower.position = await this.source.beginning(follower.position);
      for (let isBehind = true; isBehind;) {
        const { events, next } = await this.source.events(follower.position);
        if (!deliver(follower, events) || !(await follower.hasRoom())) return;
        isBehind = next !== null;
      }
      // Others may have been told more meanwhile: that is read again, for whoever lacks it.
      this.told = this.live.size === 0 ? follower.position : Math.min(this.told, follower.position);
      this.live.add(follower);
    } finally {
      this.catchingUp--;
    }
    this.wanted();
  }

  leave(follower: Follower): void {
    this.live.delete(follower);
    if (this.live.size === 0 && this.timer) clearTimeout(this.timer);
  }

  /** Something of the job has changed. */
  wanted(): void {
    this.isWanted = true;
    if (this.timer) clearTimeout(this.timer);
    this.looking ??= this.look().finally(() => {
      this.looking = null;
      if (this.live.size > 0) this.timer = setTimeout(() => this.wanted(), this.lookEveryMs);
    });
  }

  private async look(): Promise<void> {
    while (this.isWanted && this.live.size > 0) {
      this.isWanted = false;
      try {
        await this.tell();
      } catch (error) {
        this.failed(error);
      }
    }
  }

  /** The job after its events: what it says, they have said. */
  private async tell(): Promise<void> {
    const job = await this.source.job();
    for (let isMore = true; isMore;) {
      const after = this.told;
      const { events, next } = await this.source.events(after);
      // Somebody has joined who has less.
      if (this.told !== after) continue;
      this.toAll((follower) => deliver(follower, events));
      this.told = events.at(-1)?.position ?? after;
      isMore = next !== null;
    }
    const frame = jobFrame(job);
    this.toAll((follower) => follower.take(frame));
    if (!isOver(job)) return;
    for (const follower of this.live) follower.end(job);
    this.live.clear();
  }

  private toAll(give: (follower: Follower) => boolean): void {
    for (const follower of this.live) if (!give(follower)) this.live.delete(follower);
  }
}

function deliver(follower: Follower, events: readonly LedgerEventView[]): boolean {
  const news = events.filter(({ position }) => position > follower.position);
  const last = news.at(-1);
  if (!last) return true;
  follower.position = last.position;
  return follower.take(news.map(eventFrame).join(''));
}
