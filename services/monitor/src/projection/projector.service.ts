import { isDeepStrictEqual } from 'node:util';
import { TransientError } from '@expunge/messaging';
import { LRUCache } from 'lru-cache';
import { inHalves } from '../in-halves.js';
import { evolveAll } from './evolve.js';
import { beginsAnew } from '../expiry/expired.js';
import type { JobProjection } from './job.js';
import type { JobRepository, StoredJob } from './job.repository.js';
import { movedBy } from './moved.js';
import type { Recorded } from './recorded.js';

/** Another instance folding the same job at the same time is a moment of a hand-over: it ends. */
const ATTEMPTS = 20;
/** Jobs that move, and for how long one of them is taken to stand as it was written here. */
const WRITTEN_LAST = { max: 100, ttl: 5000 };

export interface Folded {
  before: JobProjection | null;
  after: JobProjection;
}

interface Waiting {
  event: Recorded;
  resolve: (folded: boolean) => void;
  reject: (error: unknown) => void;
}

interface Lane {
  waiting: Waiting[];
}

/** Folds events into their jobs' documents: different jobs side by side, what waits for one job in one write. */
export class Projector {
  private readonly lanes = new Map<string, Lane>();
  /** Spares the read before the next write, which nobody else's survives: it asks for the revision. */
  private readonly written = new LRUCache<string, StoredJob>(WRITTEN_LAST);

  /** `changed` is told of every write, before the folded events count as folded. */
  constructor(
    private readonly jobs: JobRepository,
    private readonly changed: (folded: Folded) => Promise<void> = () => Promise.resolve(),
  ) {}

  /**
   * Resolves when the event's job was written with it, or had it already. False: the job has expired and is gone, and
   * an event of it makes no other.
   * @throws TransientError the store is away, or other instances kept writing the job
   */
  fold(job: string, event: Recorded): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const lane = this.lanes.get(job);
      if (lane) {
        lane.waiting.push({ event, resolve, reject });
        return;
      }
      const opened: Lane = { waiting: [{ event, resolve, reject }] };
      this.lanes.set(job, opened);
      void this.run(job, opened);
    });
  }

  private async run(job: string, lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      await inHalves(lane.waiting.splice(0), async (group) => {
        const events = group.map(({ event }) => event);
        const folded = await this.foldAll(job, events);
        for (const { resolve } of group) resolve(folded);
      });
    }
    this.lanes.delete(job);
  }

  private async foldAll(job: string, events: Recorded[]): Promise<boolean> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const own = this.written.get(job);
      this.written.delete(job);
      const stored = own ?? (await this.jobs.read(job));
      if (!stored && (await this.isGone(job, events))) return false;
      const before = stored?.job ?? null;
      const after = evolveAll(before, events);
      if (after === null || isDeepStrictEqual(after, before)) {
        // Where nothing is written, nothing says whether the job still stands as it did.
        if (own) continue;
        return true;
      }
      const movedAt = movedBy(events, stored, new Date());
      const written = await this.jobs.write(after, stored?.revision ?? null, movedAt);
      if (written) {
        this.written.set(job, written);
        await this.changed({ before, after });
        return true;
      }
    }
    throw new TransientError('MONITOR_FOLD_CONTENDED', `${job} was written by others ${ATTEMPTS} times in a row`);
  }

  private async isGone(job: string, events: Recorded[]): Promise<boolean> {
    const expiredAt = await this.jobs.expiredAt(job);
    return expiredAt !== null && !events.some(({ message }) => beginsAnew(message, expiredAt));
  }
}
