import type { ControlRequest, RequestRefused } from '@expunge/contracts';
import { ConflictError, type Publisher, TransientError, ValidationError } from '@expunge/messaging';
import { currentTraceparent } from '@expunge/telemetry';
import type { Logger } from 'pino';
import type { AnswerService } from './answer.service.js';
import { controlVerdict, pendingOf, refusalOf, tombstone } from './deletion-job/control.js';
import { type DeletionJob, hasTurns } from './deletion-job/deletion-job.js';
import { traced } from './deletion-job/emit.js';
import { HeldJob } from './held-job.js';
import type { EventStore } from './jobs/event-store.repository.js';
import type { JobRepository } from './jobs/job.repository.js';
import type { Outbox } from './outbox.service.js';
import type { Turns } from './turns.service.js';

/** Pause, resume, cancel, retry, rate: each takes effect once, or is refused, and is told so. */
export class ControlService {
  constructor(
    private readonly jobs: JobRepository,
    private readonly events: EventStore,
    private readonly outbox: Outbox,
    private readonly answers: AnswerService,
    private readonly turns: Turns,
    private readonly publisher: Publisher,
    private readonly options: { storeRetryForMs: number; log: Logger },
  ) {}

  /** @throws TransientError another request is pending, or the job may still come: the message comes back */
  async take(request: ControlRequest): Promise<void> {
    if (!request.tenantid) throw new ValidationError('the request names no tenant');
    // Whoever moved the job on did so for good reason: each round reads what came of it.
    for (;;) {
      const job = await this.jobs.read(request.subject);
      if (await (job ? this.ofJob(job, request) : this.ofUnknown(request))) return;
    }
  }

  /** False: the job moved on meanwhile. */
  private async ofJob(job: DeletionJob, request: ControlRequest): Promise<boolean> {
    if (job.tenant !== request.tenantid) return this.refuse(request, 'unknown-job', 'there is no such job');
    const verdict = controlVerdict(job, request);
    switch (verdict.do) {
      case 'tell-again':
        return this.tellAgain(job, request);
      case 'wait':
        throw new TransientError('REQUEST_PENDING', `another request to job ${job.id} is not answered yet`);
      case 'refuse':
        return this.refuseForGood(job, request, verdict);
      case 'go-on':
        return this.answer(job);
      case 'fence': {
        const { during, displaces } = verdict;
        const pending = pendingOf(request);
        const refusal = displaces && superseded(job, displaces);
        const fenced = await this.jobs.fence(job, { request: request.id, pending, during, refusal });
        if (!fenced) return false;
        this.options.log.info(
          { job: job.id, request: request.type, by: pending.by, reason: pending.reason },
          'job is fenced',
        );
        return this.answer(fenced);
      }
    }
  }

  private async answer(job: DeletionJob): Promise<boolean> {
    try {
      await this.answers.answer(new HeldJob(job, this.jobs, this.outbox));
      return true;
    } catch (error) {
      if (error instanceof ConflictError) return false;
      throw error;
    }
  }

  private async ofUnknown(request: ControlRequest): Promise<boolean> {
    if (request.type === 'CancelRequested') {
      const job = traced(tombstone(request, new Date()), currentTraceparent());
      if (!(await this.jobs.insert(job))) return false;
      await new HeldJob(job, this.jobs, this.outbox).settle();
      this.options.log.info({ job: job.id }, 'cancelled before it was requested');
      return true;
    }
    // The api hands on requests to jobs it knows: the job's own may take as long as any, and stand behind this one.
    if (Date.now() - Date.parse(request.time) < this.options.storeRetryForMs) {
      throw new TransientError('UNKNOWN_JOB', `there is no job ${request.subject} yet`);
    }
    return this.refuse(request, 'unknown-job', 'there is no such job');
  }

  /** The answer may have been lost with a queue before the monitor read it. */
  private async tellAgain(job: DeletionJob, request: ControlRequest): Promise<boolean> {
    await new HeldJob(job, this.jobs, this.outbox).flush();
    const answers = await this.events.answersTo(job.id, request.id);
    await Promise.all(answers.map((answer) => this.publisher.publish(answer)));
    return true;
  }

  /** Noted as answered: the same request must not take effect later, when the job has moved on. */
  private async refuseForGood(
    job: DeletionJob,
    request: ControlRequest,
    why: { reason: RequestRefused['data']['reason']; message: string },
  ): Promise<boolean> {
    const { id, type } = request;
    const { pending, state: during } = job;
    const { reason, message } = why;
    const refusal = refusalOf({ id, type, job: job.id, tenant: job.tenant }, { reason, message }, new Date());
    const noted = await this.jobs.fence(job, { request: id, pending, during, refusal });
    if (!noted) return false;
    this.options.log.warn({ job: job.id, request: type, reason }, `request refused: ${message}`);
    // Of a job under way the outbox is its slice's, which has just lost its place.
    if (hasTurns(noted) || pending) await this.turns.now(job.id, noted.lanes[0].turn);
    else await new HeldJob(noted, this.jobs, this.outbox).settle();
    return true;
  }

  private async refuse(
    request: ControlRequest,
    reason: RequestRefused['data']['reason'],
    message: string,
  ): Promise<boolean> {
    const { id, type, subject: job, tenantid: tenant } = request;
    this.options.log.warn({ job, request: type, reason }, `request refused: ${message}`);
    await this.publisher.publish(refusalOf({ id, type, job, tenant }, { reason, message }, new Date()));
    return true;
  }
}

const superseded = (job: DeletionJob, { id, type }: { id: string; type: string }): RequestRefused =>
  refusalOf(
    { id, type, job: job.id, tenant: job.tenant },
    { reason: 'superseded', message: 'a cancel came before it took effect' },
    new Date(),
  );
