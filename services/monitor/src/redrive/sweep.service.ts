import { isDeepStrictEqual } from 'node:util';
import { EventsWanted, type JobCompleted, type VerificationRequested, workQueues } from '@expunge/contracts';
import type { BrokerConnection, Publisher } from '@expunge/messaging';
import type { Logger } from 'pino';
import type { LedgerRepository } from '../ledger/ledger.repository.js';
import type { JobProjection } from '../projection/job.js';
import type { JobRepository } from '../projection/job.repository.js';
import {
  isCompletionDue,
  isVerificationDue,
  jobCompleted,
  SOURCE,
  verificationRequested,
} from '../projection/status.js';
import type { WorkerRepository } from '../workers/worker.repository.js';
import { depthsOf } from '../queue-depths.adapter.js';
import { toldSequences } from '../workers/told-by-deleters.js';
import type { RedriveRepository, StoredAsks } from './redrive.repository.js';
import { schedule, validUntil } from './schedule.js';
import { hasExpired, jobExpired } from '../expiry/expired.js';
import { dependsOnCleaner, type Missing, removal, unknownJob, whatIsMissing } from './what-is-missing.js';

export interface SweepOptions {
  jobs: JobRepository;
  ledger: LedgerRepository;
  workers: WorkerRepository;
  redrives: RedriveRepository;
  broker: Pick<BrokerConnection, 'connected' | 'blocked' | 'queueDepth'>;
  publisher: Publisher;
  /** A settled job is kept for so long after its last event. */
  jobRetentionMs: number;
  log: Logger;
}

/** An older heartbeat may be of an instance that is gone. */
const HEARTBEAT_FRESH_MS = 15_000;
const PAGE = 200;
/** Old jobs looked at in one round. */
const OLD_AT_ONCE = 50;

/** What is kept of a job while others are looked at: projections are large. */
interface Suspect {
  id: string;
  tenant: string | null;
  missing: Missing[];
  completion: JobCompleted | null;
  verification: VerificationRequested | null;
}

interface Round {
  now: Date;
  errors: unknown[];
}

/** Looks for what the ledger lacks and asks for it. Any instance may, at the same time as others. */
export class Sweep {
  /** The old job that the last round ended with: one that cannot go yet must not keep others from being looked at. */
  private oldSeen: JobProjection | null = null;

  constructor(private readonly options: SweepOptions) {}

  /**
   * One look at every job that is not settled, or that a deleter knows more of. `now` is the monitor's own clock.
   * @throws whatever first kept it from asking, once it has asked for all it could
   */
  async run(now: Date): Promise<void> {
    const { jobs, workers } = this.options;
    // What is noted as asked but was not makes the pauses grow for nothing.
    if (!this.canAsk()) return;
    const told = toldSequences((await workers.of('deleter', HEARTBEAT_FRESH_MS)).map(({ beat }) => beat));
    let idle: Promise<boolean> | null = null;
    const look = async (job: JobProjection): Promise<Suspect> => {
      const cleanerIdle = dependsOnCleaner(job, now) && (await (idle ??= this.cleanerIdle()));
      const missing = whatIsMissing(job, told.get(job.id) ?? null, cleanerIdle, now);
      told.delete(job.id);
      const { id, tenant } = job;
      const at = now.toISOString();
      return {
        id,
        tenant,
        missing,
        completion: isCompletionDue(job) ? jobCompleted(job, at) : null,
        verification: isVerificationDue(job) ? verificationRequested(job, at) : null,
      };
    };
    const round: Round = { now, errors: [] };
    let suspects: Suspect[] = [];
    for await (const job of jobs.unsettled()) {
      suspects.push(await look(job));
      if (suspects.length < PAGE) continue;
      await this.askFor(suspects, round);
      suspects = [];
    }
    // Settled here, though a deleter may know more of it.
    for await (const job of jobs.byIds([...told.keys()])) suspects.push(await look(job));
    for (const [id, sequence] of told) {
      suspects.push({ id, tenant: null, missing: unknownJob(sequence), completion: null, verification: null });
    }
    await this.askFor(suspects, round);
    await this.askFor(await this.expired(now), round);
    if (round.errors.length > 0) throw round.errors[0];
  }

  private async expired(now: Date): Promise<Suspect[]> {
    const { jobs, jobRetentionMs } = this.options;
    const before = new Date(now.getTime() - jobRetentionMs).toISOString();
    const old = await jobs.settledBefore(before, this.oldSeen, OLD_AT_ONCE);
    this.oldSeen = old.length < OLD_AT_ONCE ? null : (old.at(-1) ?? null);
    return old
      .filter((job) => hasExpired(job, jobRetentionMs, now))
      .map((job) => ({ id: job.id, tenant: job.tenant, missing: removal(job), completion: null, verification: null }));
  }

  private canAsk(): boolean {
    const { connected, blocked } = this.options.broker;
    return connected && blocked === null;
  }

  /** A broker that does not tell may have everything: then nothing is multiplied either. */
  private async cleanerIdle(): Promise<boolean> {
    const depths = await depthsOf(this.options.broker, workQueues.storageCleanerBatches.name).catch(() => null);
    return depths?.ready === 0 && depths.tiers === 0;
  }

  private async askFor(suspects: Suspect[], round: Round): Promise<void> {
    const noted = await this.options.redrives.read(suspects.map(({ id }) => id));
    for (const suspect of suspects) {
      if (!this.canAsk()) return;
      const known = noted.get(suspect.id) ?? null;
      if (suspect.missing.length > 0 || known) await this.askForOne(suspect, known, round);
    }
  }

  /** Noted first: an instance that dies in between asks again after the pause, and no two ask at once. */
  private async askForOne(suspect: Suspect, known: StoredAsks | null, round: Round): Promise<void> {
    const { now, errors } = round;
    const { id, missing } = suspect;
    const { due, asks } = schedule(missing, known?.asks ?? {}, now);
    if (isDeepStrictEqual(asks, known?.asks ?? {})) return;
    if (!(await this.options.redrives.note(id, asks, known?.revision ?? null, now))) return;
    for (const one of due) {
      try {
        await this.ask(suspect, one, asks[one.kind]?.times ?? 1, now);
      } catch (error) {
        // What cannot be asked for one job must not keep the others from being looked at.
        errors.push(error);
      }
    }
  }

  private async ask(
    { id, tenant, completion, verification }: Suspect,
    missing: Missing,
    times: number,
    now: Date,
  ): Promise<void> {
    const { publisher, ledger, log } = this.options;
    const { kind, ask } = missing;
    switch (ask.ask) {
      case 'start': {
        const request = await ledger.deleteRequestOf(id);
        if (!request) return;
        await publisher.publish(request);
        break;
      }
      case 'answers': {
        // In the order in which they came: a later one may only be allowed after an earlier one.
        const requests = (await ledger.recorded(ask.requests)).toSorted((a, b) => a.position - b.position);
        for (const { message } of requests) await publisher.publish(message);
        break;
      }
      case 'verification':
        if (verification) await publisher.publish(verification);
        break;
      case 'completion':
        if (completion) await publisher.publish(completion);
        break;
      case 'removal':
        await publisher.publish(jobExpired({ id, tenant, sequence: ask.sequence, position: ask.position }, now));
        break;
      case 'events':
        await publisher.publish(
          EventsWanted.create({
            id: `${id}:wanted:${kind}:${now.toISOString()}`,
            source: SOURCE,
            subject: id,
            time: now.toISOString(),
            ...(tenant ? { tenantid: tenant } : {}),
            data: { ...ask.wanted, validUntil: validUntil(times, now).toISOString() },
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
    case 'unanswered':
      return 'nobody has answered what was asked of the job';
    case 'verification':
      return 'nobody has said yet what is left';
    case 'removal':
      return 'it was kept for its time, and is not gone yet';
    case 'completion':
      return 'everything is accounted for, but nobody said so';
  }
}
