import type { ResourceDefinition } from '@expunge/contracts';
import { ConflictError, TransientError } from '@expunge/messaging';
import type { Logger } from 'pino';
import type { BatchService, Resolution } from './batch.service.js';
import { answerPending, delayPending, waitsForPlan } from './deletion-job/control.js';
import { type DeletionJob, hasTurns, type Plan } from './deletion-job/deletion-job.js';
import { msUntilTakeOver } from './deletion-job/slice-verdict.js';
import { codeOf } from './error-code.js';
import { HeldJob } from './held-job.js';
import type { JobRepository } from './jobs/job.repository.js';
import type { Outbox } from './outbox.service.js';
import { type Records, RECORDS_UNAVAILABLE } from './records/records.js';
import { resourceOf } from './resource-of.js';
import type { Turns } from './turns.service.js';

/** Answers the request a job was fenced for. */
export class AnswerService {
  constructor(
    private readonly jobs: JobRepository,
    private readonly records: Records,
    private readonly batches: BatchService,
    private readonly outbox: Outbox,
    private readonly turns: Turns,
    private readonly resources: ReadonlyMap<string, ResourceDefinition>,
    private readonly options: { instance: string; storeRetryForMs: number; log: Logger },
  ) {}

  /**
   * Resolves the plan that may stand, by reading, and answers in the same write. Before the plan's deadline the turn
   * comes back through a tier: a live worker answers by itself, with the end of its batch.
   * @throws ConflictError somebody else moved the job on
   * @throws TransientError the deleter's own database or the broker is away
   */
  async answer(held: HeldJob): Promise<void> {
    const { pending, lanes } = held.job;
    if (!pending) return;
    try {
      const change = lanes[0].plan && waitsForPlan(pending.type) ? await this.resolved(held) : held.job;
      if (change) await this.write(held, change);
    } catch (error) {
      const isOwn = error instanceof TransientError && error.code !== RECORDS_UNAVAILABLE;
      // Once it is answered there is nothing to wait for but the outbox.
      if (error instanceof ConflictError || isOwn || !held.job.pending) throw error;
      await this.delay(held, error);
    }
  }

  /** Null: somebody may still be deleting by the plan. */
  private async resolved(held: HeldJob): Promise<DeletionJob | null> {
    const resource = resourceOf(held.job, this.resources);
    const clock = await this.records.clock();
    const ahead = msUntilTakeOver(held.job, clock.earliest());
    if (ahead === 0) return this.batches.resolveByReading(held, resource, clock);
    await this.turns.later(held.job.id, held.lane.turn, ahead);
    return null;
  }

  private async delay(held: HeldJob, error: unknown): Promise<void> {
    const { log, instance, storeRetryForMs } = this.options;
    const isStore = error instanceof TransientError;
    const message = error instanceof Error ? error.message : String(error);
    const why = { cause: isStore ? 'store' : 'error', error: { code: codeOf(error), message } } as const;
    log.warn({ job: held.job.id, err: error }, 'a batch before a request cannot be resolved yet');
    const now = new Date();
    await held.write(delayPending(held.job, why, { instance, storeRetryForMs, now }));
    await held.settle();
    const { id, pending } = held.job;
    if (pending?.waiting) await this.turns.later(id, held.lane.turn, pending.waiting.retryAt.getTime() - now.getTime());
  }

  /**
   * For a slice that lost its place with its delete answered: while its very plan stands, nobody else can be deleting by
   * it, so it is resolved at once and the request answered with it.
   * @throws ConflictError the plan is somebody else's by now
   */
  async resolveFenced(id: string, plan: Plan, resolved: Resolution, conflict: ConflictError): Promise<void> {
    for (;;) {
      const job = await this.jobs.read(id);
      const standing = job?.lanes[0].plan;
      if (!job || standing?.owner !== plan.owner || standing.until.getTime() !== plan.until.getTime()) throw conflict;
      try {
        const change = resolved(job);
        await this.write(new HeldJob(job, this.jobs, this.outbox), change);
        this.batches.report(change, this.options.log.child({ job: id }));
        return;
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
      }
    }
  }

  private async write(held: HeldJob, change: DeletionJob): Promise<void> {
    const { pending } = held.job;
    await held.write(pending ? answerPending(change, new Date()) : change);
    await held.settle();
    const { id, state, totals } = held.job;
    if (pending) {
      const { type, by, reason } = pending;
      this.options.log.info({ job: id, request: type, by, reason, totals }, `${type} took effect: the job is ${state}`);
    }
    if (hasTurns(held.job)) await this.turns.now(id, held.lane.turn);
  }
}
