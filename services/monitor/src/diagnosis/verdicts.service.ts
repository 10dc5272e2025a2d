import {
  type Diagnosis,
  type DiagnosisCode,
  JobDiagnosisChanged,
  jobDiagnosisId,
  type JobStatus,
} from '@expunge/contracts';
import type { BrokerConnection, Publisher } from '@expunge/messaging';
import type { Logger } from 'pino';
import type { JobProjection } from '../projection/job.js';
import type { JobRepository } from '../projection/job.repository.js';
import { isFinal, SOURCE } from '../projection/status.js';
import type { DiagnosisService } from './diagnosis.service.js';

export interface VerdictsOptions {
  jobs: JobRepository;
  diagnosis: DiagnosisService;
  broker: Pick<BrokerConnection, 'connected' | 'blocked'>;
  publisher: Publisher;
  log: Logger;
}

export interface VerdictCounts {
  statuses: Map<JobStatus, number>;
  codes: Map<DiagnosisCode, number>;
}

interface Changed {
  job: JobProjection;
  verdict: Diagnosis | null;
  at: Date;
}

const count = <Key>(counts: Map<Key, number>, key: Key) => counts.set(key, (counts.get(key) ?? 0) + 1);

/**
 * Makes an event of each change of a verdict. Any instance may, at the same time as others: the number makes the id, and
 * of two that differ the ledger keeps the first. A verdict is told once it has stood for two rounds.
 */
export class Verdicts {
  private before = new Map<string, string | null>();
  /** Of the last round, null where its database was away: of jobs that are not over, or have a verdict. */
  counted: VerdictCounts | null = null;

  constructor(private readonly options: VerdictsOptions) {}

  /**
   * Verdicts are counted without a broker, too; it alone makes events of them.
   * @throws TransientError its database is away, or the broker takes nothing
   */
  async run(): Promise<void> {
    const changed = await this.look().catch((error: unknown) => {
      this.counted = null;
      throw error;
    });
    const { broker } = this.options;
    for (const { job, verdict, at } of changed) {
      if (!broker.connected || broker.blocked !== null) return;
      await this.tell(job, verdict, at);
    }
  }

  /** @returns those that are to be told */
  private async look(): Promise<Changed[]> {
    const { jobs, diagnosis } = this.options;
    const changed: Changed[] = [];
    const seen = new Map<string, string | null>();
    const counted: VerdictCounts = { statuses: new Map(), codes: new Map() };
    const circumstances = await diagnosis.circumstances();
    for await (const stored of jobs.toDiagnose()) {
      const { job } = stored;
      const verdict = job.settled ? null : diagnosis.of(stored, circumstances);
      const code = verdict?.code ?? null;
      seen.set(job.id, code);
      if (!isFinal(job.status)) count(counted.statuses, job.status);
      if (verdict?.code) count(counted.codes, verdict.code);
      if (code === (job.verdict?.code ?? null) || this.before.get(job.id) !== code) continue;
      changed.push({ job, verdict, at: circumstances.now });
    }
    this.before = seen;
    this.counted = counted;
    return changed;
  }

  private async tell(job: JobProjection, verdict: Diagnosis | null, now: Date): Promise<void> {
    const number = (job.verdict?.number ?? 0) + 1;
    const previous = job.verdict?.code ?? null;
    const { code = null, severity = null, summary = null } = verdict ?? {};
    await this.options.publisher.publish(
      JobDiagnosisChanged.create({
        id: jobDiagnosisId(job.id, number),
        source: SOURCE,
        subject: job.id,
        time: now.toISOString(),
        ...(job.tenant === null ? {} : { tenantid: job.tenant }),
        data: { code, severity, summary, previous, number },
      }),
    );
    this.options.log.info({ job: job.id, code, severity, previous }, summary ?? 'the job moves again');
  }
}
