import type { LedgerRepository } from '../ledger/ledger.repository.js';
import { JobFold } from '../projection/job-fold.js';
import type { Recorded } from '../projection/recorded.js';
import type { Examination, Verdict } from './examination.service.js';
import { isWrittenAs, type LiveJobs } from './live-jobs.repository.js';
import type { RebuiltJobs } from './rebuilt-jobs.repository.js';

export interface Outcome {
  /** Of jobs, as folded anew. */
  events: number;
  jobs: number;
  /** Documents that are not what the ledger tells; `repaired` of them by now. */
  different: number;
  repaired: number;
}

/** Told on the way. */
export interface Observer {
  folded(events: number): void;
  /** One that monitors cannot have folded either. */
  leftOut(event: Recorded, error: unknown): void;
  found(job: string, verdict: Exclude<Verdict, { kind: 'same' }>): void;
}

/**
 * Folds the ledger anew, beside the projection, and compares. What differs is replaced document by document, each on the
 * revision that was compared: a monitor's write that comes in between makes that look again, and none is lost.
 */
export class Rebuild {
  constructor(
    private readonly ledger: LedgerRepository,
    private readonly live: LiveJobs,
    private readonly rebuilt: RebuiltJobs,
    private readonly examination: Examination,
    private readonly observer: Observer,
  ) {}

  async run(): Promise<Outcome> {
    await this.rebuilt.drop();
    try {
      const events = await this.foldAnew();
      return { events, ...(await this.compare()) };
    } finally {
      await this.rebuilt.drop();
    }
  }

  private async foldAnew(): Promise<number> {
    let events = 0;
    let open = null as { id: string; fold: JobFold } | null;
    for await (const page of this.ledger.pagesByJob()) {
      for (const event of page) {
        if (open?.id !== event.job) {
          await this.store(open?.fold);
          open = { id: event.job, fold: new JobFold(null, (...left) => this.observer.leftOut(...left)) };
        }
        open.fold.add(event);
        events += 1;
      }
      this.observer.folded(events);
    }
    await this.store(open?.fold);
    await this.rebuilt.flush();
    return events;
  }

  private async store(fold: JobFold | undefined): Promise<void> {
    if (fold?.job) await this.rebuilt.add(fold.job);
  }

  private async compare(): Promise<Omit<Outcome, 'events'>> {
    const outcome = { jobs: 0, different: 0, repaired: 0 };
    for await (const page of this.live.pages()) {
      const told = await this.rebuilt.byIds(page.map(({ id }) => id));
      const differing = page.filter((live) => {
        const job = told.get(live.id);
        return !job || !isWrittenAs(live, job);
      });
      outcome.jobs += page.length - differing.length;
      await this.settle(
        differing.map(({ id }) => id),
        outcome,
      );
    }
    for await (const ids of this.rebuilt.ids()) {
      const existing = await this.live.existing(ids);
      await this.settle(
        ids.filter((id) => !existing.has(id)),
        outcome,
      );
    }
    return outcome;
  }

  private async settle(ids: string[], outcome: Omit<Outcome, 'events'>): Promise<void> {
    if (ids.length === 0) return;
    for await (const [id, verdict] of this.examination.of(ids)) {
      outcome.jobs += 1;
      if (verdict.kind === 'same') continue;
      outcome.different += 1;
      if (verdict.kind === 'different' && verdict.repaired) outcome.repaired += 1;
      this.observer.found(id, verdict);
    }
  }
}
