import { isDeepStrictEqual } from 'node:util';
import { EventsWanted } from '@expunge/contracts';
import type { Publisher } from '@expunge/messaging';
import type { Logger } from 'pino';
import type { LedgerRepository } from '../ledger/ledger.repository.js';
import type { JobProjection } from '../projection/job.js';
import type { JobRepository } from '../projection/job.repository.js';
import { jobCompleted, SOURCE } from '../projection/status.js';
import type { WorkerRepository } from '../workers/worker.repository.js';
import { toldSequences } from '../workers/told-by-deleters.js';
import type { RedriveRepository, StoredAsks } from './redrive.repository.js';
import { schedule } from './schedule.js';
import { type Missing, unknownJob, whatIsMissing } from './what-is-missing.js';

export interface SweepOptions {
  jobs: JobRepository;
  ledger: LedgerRepository;
  workers: WorkerRepository;
  redrives: RedriveRepository;
  publisher: Publisher;
  log: Logger;
}

/** An older heartbeat may be of an instance that is gone. */
const HEARTBEAT_FRESH_MS = 15_000;
const PAGE = 200;

interface Suspect {
  id: string;
  job: JobProjection | null;
  missing: Missing[];
}

/** Looks for what the ledger lacks and asks for it. Any instance may, at the same time as others. */
export class Sweep {
  constructor(private readonly options: SweepOptions) {}

  /** One look at every job that is not settled, or that a deleter knows more of. `now` is the monitor's own clock. */
  async run(now: Date): Promise<void> {
    const { jobs, workers } = this.options;
    const told = toldSequences((await workers.of('deleter', HEARTBEAT_FRESH_MS)).map(({ beat }) => beat));
    let suspects: Suspect[] = [];
    for await (const job of jobs.unsettled()) {
      suspects.push({ id: job.id, job, missing: whatIsMissing(job, told.get(job.id) ?? null, now) });
      told.delete(job.id);
      if (suspects.length < PAGE) continue;
      await this.askFor(suspects, now);
      suspects = [];
    }
    await this.askFor([...suspects, ...(await this.settledOrUnknown(told, now))], now);
  }

  private async settledOrUnknown(told: Map<string, number>, now: Date): Promise<Suspect[]> {
    const known = new Map((await this.options.jobs.byIds([...told.keys()])).map((job) => [job.id, job]));
    return [...told].map(([id, sequence]) => {
      const job = known.get(id) ?? null;
      return { id, job, missing: job ? whatIsMissing(job, sequence, now) : unknownJob(sequence) };
    });
  }

  private async askFor(suspects: Suspect[], now: Date): Promise<void> {
    const noted = await this.options.redrives.read(suspects.map(({ id }) => id));
    for (const suspect of suspects) {
      const known = noted.get(suspect.id) ?? null;
      if (suspect.missing.length > 0 || known) await this.askForOne(suspect, known, now);
    }
  }

  /** Noted first: an instance that dies in between asks again after the pause, and no two ask at once. */
  private async askForOne({ id, job, missing }: Suspect, known: StoredAsks | null, now: Date): Promise<void> {
    const { due, asks } = schedule(missing, known?.asks ?? {}, now);
    if (isDeepStrictEqual(asks, known?.asks ?? {})) return;
    if (!(await this.options.redrives.note(id, asks, known?.revision ?? null, now))) return;
    for (const one of due) await this.ask(id, job, one, asks[one.kind]?.times ?? 1, now);
  }

  private async ask(id: string, job: JobProjection | null, missing: Missing, times: number, now: Date): Promise<void> {
    const { publisher, ledger, log } = this.options;
    const { kind, ask } = missing;
    switch (ask.ask) {
      case 'start': {
        const request = await ledger.deleteRequestOf(id);
        if (!request) return;
        await publisher.publish(request);
        break;
      }
      case 'completion':
        if (job) await publisher.publish(jobCompleted(job, now.toISOString()));
        break;
      case 'events':
        await publisher.publish(
          EventsWanted.create({
            id: `${id}:wanted:${kind}:${now.toISOString()}`,
            source: SOURCE,
            subject: id,
            time: now.toISOString(),
            ...(job?.tenant ? { tenantid: job.tenant } : {}),
            data: ask.wanted,
          }),
        );
    }
    log.info({ job: id, missing: kind, times, ...ask }, `asked again: ${describe(missing)}`);
  }
}

function describe({ kind }: Missing): string {
  switch (kind) {
    case 'gap':
      return 'events are missing between others';
    case 'queued':
      return 'requested, but nobody started it';
    case 'batches':
      return 'objects of batches are neither purged nor given up on';
    case 'tail':
      return 'the deleter knows of later events';
    case 'silent':
      return 'nothing was heard for a minute';
    case 'completion':
      return 'everything is accounted for, but nobody said so';
  }
}
