import { setTimeout } from 'node:timers/promises';
import { isAnotherJob } from '../expiry/expired.js';
import type { FoldMarkRepository } from '../fold/fold-mark.repository.js';
import type { LedgerRepository } from '../ledger/ledger.repository.js';
import { JobFold } from '../projection/job-fold.js';
import type { JobProjection } from '../projection/job.js';
import type { JobRepository } from '../projection/job.repository.js';
import { type Difference, firstDifference } from './first-difference.js';
import { contentOf, isWrittenAs, type LiveJob, type LiveJobs, withTypes, writtenAs } from './live-jobs.repository.js';
import type { RebuiltJobs } from './rebuilt-jobs.repository.js';

export type Verdict =
  /** Or gone by now, as its job has expired. */
  | { kind: 'same' }
  | { kind: 'different'; difference: Difference; repaired: boolean }
  /** The ledger has no event of it. */
  | { kind: 'unheard-of' };

/** How long a monitor that lives may take to fold what it has appended, and how old its last sign of life may be. */
const PATIENCE_MS = 5000;
const LOOK_AGAIN_MS = 200;
/** A running fold may get ahead of a repair: it ends, as nobody writes one job all the time. */
const ATTEMPTS = 20;

const same: Verdict = { kind: 'same' };

/**
 * Looks closely at jobs whose two documents are not the same, while events go on arriving. The order of reading is what
 * makes the verdict right: the document first, then the ledger, so that every event the document has is among those read;
 * then the note of removal, which is written before the first of the events is removed.
 */
export class Examination {
  constructor(
    private readonly live: LiveJobs,
    private readonly rebuilt: RebuiltJobs,
    private readonly ledger: LedgerRepository,
    private readonly jobs: JobRepository,
    private readonly marks: FoldMarkRepository,
    /** Whether differences are repaired. */
    private readonly repairs: boolean,
  ) {}

  /** One verdict each, in no order. */
  async *of(ids: readonly string[]): AsyncGenerator<[id: string, Verdict]> {
    const from = await this.rebuilt.byIds([...ids]);
    const patientUntil = performance.now() + ((await this.isFolding()) ? PATIENCE_MS : 0);
    let open = ids;
    while (open.length > 0) {
      const isPatient = performance.now() < patientUntil;
      const late: string[] = [];
      for (const id of open) {
        const verdict = await this.examine(id, from.get(id) ?? null, isPatient);
        if (verdict) yield [id, verdict];
        else late.push(id);
      }
      open = late;
      if (open.length > 0) await setTimeout(LOOK_AGAIN_MS);
    }
  }

  private async isFolding(): Promise<boolean> {
    const { monitorHeartbeatAgeMs } = await this.marks.asOf();
    return monitorHeartbeatAgeMs !== null && monitorHeartbeatAgeMs < PATIENCE_MS;
  }

  /** Null: it may be only that a monitor has not folded yet what it has appended. */
  private async examine(id: string, from: JobProjection | null, isPatient: boolean): Promise<Verdict | null> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const stored = await this.live.read(id);
      const told = await this.tell(id, from);
      if (told === 'gone' || (!stored && !told)) return same;
      if (!told) return { kind: 'unheard-of' };
      if (stored && isWrittenAs(stored, told)) return same;
      if (isPatient && isBehind(stored, told)) return null;
      const difference = differenceOf(stored, told);
      if (!this.repairs) return { kind: 'different', difference, repaired: false };
      if (await this.live.replace(told, stored)) return { kind: 'different', difference, repaired: true };
    }
    throw new Error(`${id} was written by others ${ATTEMPTS} times in a row`);
  }

  /** The fold of all that the ledger has of the job. */
  private async tell(id: string, from: JobProjection | null): Promise<JobProjection | null | 'gone'> {
    const told = await folded(this.ledger.pagesOf(id, from?.position), from);
    const expiredAt = await this.jobs.expiredAt(id);
    if (expiredAt === null) return told;
    // Once removed, only a new request makes the job again; what was folded before is then of the one that is gone.
    const anew = await folded(this.ledger.pagesOf(id), null);
    return anew?.request && isAnotherJob(anew.request.requestedAt, expiredAt) ? anew : 'gone';
  }
}

async function folded(pages: ReturnType<LedgerRepository['pagesOf']>, from: JobProjection | null) {
  const fold = new JobFold(from);
  for await (const page of pages) for (const event of page) fold.add(event);
  return fold.job;
}

function isBehind(stored: LiveJob | null, told: JobProjection): boolean {
  return stored === null || Number(stored.content['position']) < told.position;
}

function differenceOf(stored: LiveJob | null, told: JobProjection): Difference {
  if (stored === null) return { path: '', stored: 'nothing', told: 'a document' };
  const { revision: _, movedAt: _moved, ...content } = stored.content;
  return firstDifference(content, contentOf(told)) ?? typesDiffer(stored, told);
}

/** What JavaScript does not tell apart, the database does: 1 and 1.0. */
function typesDiffer(stored: LiveJob, told: JobProjection): Difference {
  const difference = firstDifference(withTypes(stored.bytes), withTypes(writtenAs(stored, told)));
  const { path, ...values } = difference ?? { path: '', stored: 'these bytes', told: 'others' };
  return { path: path.replace(/\.\$\w+$/, ''), ...values };
}
