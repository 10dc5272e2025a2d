import { setTimeout as delayed } from 'node:timers/promises';
import { type ErrorInfo, type ResourceDefinition, workQueues } from '@expunge/contracts';
import { ConflictError, NotFoundError, TransientError } from '@expunge/messaging';
import { attribute, counter, linkCurrentTo, metric } from '@expunge/telemetry';
import type { Logger } from 'pino';
import type { AnswerService } from './answer.service.js';
import type { Backlog } from './backlog.service.js';
import type { BatchContext, BatchService } from './batch.service.js';
import { moreThanPlanned, withinExpected } from './deletion-job/brakes.js';
import { delay, fail, waitedTooLong } from './deletion-job/delay-job.js';
import { finish, nextPass, passEnd } from './deletion-job/end-pass.js';
import {
  type DelayCause,
  type DeletionJob,
  hasTurns,
  isActive,
  requestOf,
  timing,
} from './deletion-job/deletion-job.js';
import { deletableUntil, isFull, type Page, passOver, takeOver } from './deletion-job/plan-batch.js';
import { stillAtIt } from './deletion-job/no-progress.js';
import { isBeforeFirstDelete } from './deletion-job/preflight.js';
import { msUntilTakeOver, sliceVerdict } from './deletion-job/slice-verdict.js';
import { type FailureLimits, tooManyFailures } from './deletion-job/too-many-failures.js';
import { endSlice, release, startSlice } from './deletion-job/turn.js';
import { codeOf } from './error-code.js';
import { HeldJob } from './held-job.js';
import type { Preflight } from './preflight.service.js';
import type { PurgeAgainService } from './purge-again.service.js';
import type { JobRepository } from './jobs/job.repository.js';
import type { Outbox } from './outbox.service.js';
import { type Records, RECORDS_UNAVAILABLE } from './records/records.js';
import { resourceOf } from './resource-of.js';
import type { SharedLimit } from './shared-limit.service.js';
import type { Turns } from './turns.service.js';

/** Batches of one slice at most: a page of many skipped records must not hold a delivery for long. */
const MAX_STEPS = 200;

/** Should the rate have been lower before. */
const LONGEST_PACE_MS = 2000;

const tooSlow: ErrorInfo = {
  code: 'RECORDS_SLOW',
  message: "a delete reached the records' server after its plan's deadline",
};

export interface SliceLimits {
  noProgressForMs: number;
  failures: FailureLimits;
}

/** One slice message's worth of work on a job. */
export class SliceService {
  private readonly delays = counter(metric.delays, 'Waits of a job before it is tried again, by cause', '{wait}');
  /** Jobs that this process is at. */
  private readonly atWork = new Set<string>();

  constructor(
    private readonly jobs: JobRepository,
    private readonly records: Records,
    private readonly batches: BatchService,
    private readonly outbox: Outbox,
    private readonly turns: Turns,
    private readonly answers: AnswerService,
    private readonly preflight: Pick<Preflight, 'obstacle'>,
    private readonly backlog: Backlog,
    private readonly limit: SharedLimit,
    private readonly purges: PurgeAgainService,
    private readonly resources: ReadonlyMap<string, ResourceDefinition>,
    private readonly options: { instance: string; process: string; storeRetryForMs: number; log: Logger } & SliceLimits,
  ) {}

  /**
   * @param seen the job's last write as this message met it before
   * @throws ConflictError somebody else moved the job on
   * @throws TransientError the deleter's own database or the broker is away: the message comes back
   */
  async run(id: string, turn: number, seen: string | null): Promise<void> {
    const job = await this.jobs.read(id);
    if (!job) throw new NotFoundError(`there is no job ${id}`);
    const held = new HeldJob(job, this.jobs, this.outbox);
    const { process, noProgressForMs } = this.options;
    const atWork = this.atWork.has(id);
    const verdict = sliceVerdict(job, { turn, now: new Date(), process, atWork, seen, noProgressForMs });
    // The outbox of a job under way is its live slice's, which a write from here would cost its place; or the watchdog's.
    if (verdict.do === 'nothing') return hasTurns(job) ? undefined : held.settle();
    if (verdict.do === 'answer') return this.answers.answer(held);
    if (verdict.do === 'wait') return this.turns.later(id, turn, verdict.ms);
    if (verdict.do === 'watch') return this.turns.later(id, turn, verdict.ms, job.writtenAt);
    const log = this.options.log.child({ job: id, turn });
    linkCurrentTo(job.traceparent);
    using _alive = held.keepAlive(noProgressForMs);
    this.atWork.add(id);
    try {
      await (verdict.do === 'give-up' ? this.giveUp(held, log, verdict.error) : this.work(held, turn, log));
    } catch (error) {
      await this.afterError(held, error, log);
    } finally {
      this.atWork.delete(id);
    }
  }

  private async work(held: HeldJob, turn: number, log: Logger): Promise<void> {
    const { job } = held;
    const resource = resourceOf(job, this.resources);
    const clock = await this.records.clock();
    const ahead = msUntilTakeOver(job, clock.earliest());
    if (ahead > 0) return this.turns.later(job.id, turn, ahead);
    if (job.state === 'running' && (await this.backlog.isTooLong(job))) {
      const message = 'more objects wait to be purged than MAX_PENDING_OBJECTS';
      return this.wait(held, 'purge-backlog', { code: 'PURGE_BACKLOG', message }, log);
    }
    if (job.state === 'running' && !(await this.limit.mayStart(held))) return;
    const obstacle = isBeforeFirstDelete(job) ? await this.preflight.obstacle(resource) : null;
    if (obstacle?.then === 'fail') return this.giveUp(held, log, obstacle.error);
    if (obstacle) return this.wait(held, 'preflight', obstacle.error, log);
    await held.flush();
    const owner = `${this.options.instance}:${turn}`;
    const standing = held.lane.plan;
    await held.write(stillAtIt(startSlice(held.job, this.options.process), new Date()));
    held.started = true;
    const endsAt = performance.now() + timing.slice;
    // First: what a plan may be deleted by is a second.
    if (job.purgesDue && !(await this.purges.run(held, endsAt, log))) return this.end(held);
    if (job.state === 'cancelled') return this.end(held);
    // By itself: only now is it known how long a write takes, and so until when a delete may begin.
    if (standing) {
      // Reserved before, too; but the plans of a worker that died must not all go at once.
      if (!(await this.limit.mayDelete(held, standing.records.length))) return;
      await held.write(takeOver(held.job, { owner, until: deletableUntil(clock.earliest(), held.writeMs) }));
    }
    log.info(
      { queue: workQueues.deleterSlices.name, attempt: held.lane.attempt },
      standing ? 'picked up, with a batch whose worker is gone' : 'picked up',
    );
    await this.batchByBatch(held, { resource, clock, owner, window: null }, endsAt, log);
  }

  /** Until the slice is over; the next page is read while this one is deleted. */
  private async batchByBatch(held: HeldJob, context: BatchContext, endsAt: number, log: Logger): Promise<void> {
    let page: Page | null = null;
    for (let step = 1; ; step++) {
      const more = step < MAX_STEPS && performance.now() < endsAt;
      const { plan } = held.lane;
      if (plan) {
        const executed = await this.batches.execute(held, context, more);
        if (!executed) return this.wait(held, 'store', tooSlow, log);
        const { resolved, refused, alone, readAhead } = executed;
        const job = alone ?? resolved(held.job);
        // What is too much since this delete was slow is read again.
        const nextPage = readAhead && this.batches.fits(job, readAhead) ? readAhead : null;
        const isPaced = this.limit.maxRecordsPerSecond !== null || job.lanes[0].paceAt !== null;
        const isLast = isPaced || performance.now() >= endsAt || this.failsBy(job) !== null;
        const ahead = nextPage && isFull(nextPage) && !isLast ? nextPage : null;
        // One that has to be cut begins a batch of its own.
        const next = ahead && withinExpected(job, ahead) === ahead ? ahead : null;
        try {
          await held.write(next ? this.batches.plan(job, next, context, held.writeMs) : job);
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error;
          return this.answers.resolveFenced(job.id, plan, resolved, error);
        }
        // Its code alone: what the server says of a record may quote it.
        if (refused) log.warn({ code: refused.code, records: plan.records.length }, 'a batch was refused');
        if (!alone) this.batches.report(held.job, log);
        page = next ? null : nextPage;
        continue;
      }
      const tooMany = this.failsBy(held.job);
      if (tooMany) return this.giveUp(held, log, tooMany);
      if (!more) break;
      page ??= await this.batches.page(held.job, context, held.lane.cursor);
      if (page.closesAt === null) {
        if (await this.atPassEnd(held, log)) return;
      } else if (isFull(page)) {
        const fitting = withinExpected(held.job, page);
        if (!fitting) return this.giveUp(held, log, tooManyFor(held.job));
        await this.pace(held, context);
        if (!(await this.limit.mayDelete(held, fitting.records.length))) return;
        await held.write(this.batches.plan(held.job, fitting, context, held.writeMs));
      } else {
        held.job = passOver(held.job, page.closesAt);
      }
      page = null;
    }
    await this.end(held);
  }

  private async end(held: HeldJob): Promise<void> {
    await held.flush();
    await held.write(endSlice(held.job));
    if (hasTurns(held.job)) await this.turns.now(held.job.id, held.lane.turn);
    else await held.settle();
  }

  private failsBy(job: DeletionJob): ErrorInfo | null {
    return tooManyFailures(job, this.options.failures);
  }

  /** Until the job's rate allows another batch: a second at most, since a batch has at most half a second's records. */
  private async pace({ lane: { paceAt } }: HeldJob, { clock }: BatchContext): Promise<void> {
    const ahead = (paceAt?.getTime() ?? 0) - clock.earliest().getTime();
    if (ahead > 0) await delayed(Math.min(ahead, LONGEST_PACE_MS));
  }

  /** True when the slice is over with it. */
  private async atPassEnd(held: HeldJob, log: Logger): Promise<boolean> {
    const end = passEnd(held.job);
    if (end === 'finished') {
      await held.flush();
      await held.write(finish(held.job, { instance: this.options.instance, now: new Date() }));
      await held.settle();
      log.info({ totals: held.job.totals }, 'deletion finished');
      return true;
    }
    held.job = nextPass(held.job);
    if (end === 'again') return false;
    const message = 'the records left change between being read and being deleted';
    await this.wait(held, 'still-changing', { code: 'STILL_CHANGING', message }, log);
    return true;
  }

  private async wait(held: HeldJob, cause: DelayCause, error: ErrorInfo, log: Logger): Promise<void> {
    const now = new Date();
    if (waitedTooLong(held.job, cause, this.options.storeRetryForMs, now)) return this.giveUp(held, log);
    await held.write(delay(held.job, { cause, error }, { instance: this.options.instance, now }));
    const { waiting, turn, attempt } = held.lane;
    this.delays.add(1, { [attribute.outcome]: cause, [attribute.code]: error.code });
    const ms = (waiting?.retryAt.getTime() ?? 0) - now.getTime();
    log.warn({ cause, code: error.code, attempt }, `waits ${ms / 1000} s: ${error.message}`);
    await held.settle();
    await this.turns.later(held.job.id, turn, ms);
  }

  private async afterError(held: HeldJob, error: unknown, log: Logger): Promise<void> {
    // Once the job is at rest there is nothing to wait for but its outbox, which the message brings out again.
    if (error instanceof ConflictError || !isActive(held.job.state)) throw error;
    if (error instanceof TransientError && error.code !== RECORDS_UNAVAILABLE) {
      // The worker lives and knows why: no strike, if that can still be written, or if it is this process that goes on.
      if (held.started) await held.write(release(held.job)).catch(() => undefined);
      throw error;
    }
    if (!held.started) held.job = startSlice(held.job, this.options.process);
    const message = error instanceof Error ? error.message : String(error);
    const isStore = error instanceof TransientError;
    if (!isStore) log.error({ err: error }, 'slice failed');
    await this.wait(held, isStore ? 'store' : 'error', { code: codeOf(error), message }, log);
  }

  /** Before a job fails, its plan is resolved by reading: keys of records already gone must not end in it. */
  private async giveUp(held: HeldJob, log: Logger, why?: ErrorInfo): Promise<void> {
    const { job } = held;
    const lost = { code: 'WORKER_LOST', message: 'each attempt ended with its worker' };
    const error = why ?? held.lane.waiting?.error ?? lost;
    const resource = this.resources.get(requestOf(job).resource);
    if (held.lane.plan && resource) {
      try {
        const clock = await this.records.clock();
        const ahead = msUntilTakeOver(job, clock.earliest());
        if (ahead > 0) {
          await this.turns.later(job.id, held.lane.turn, ahead);
          return;
        }
        await held.write(await this.batches.resolveByReading(held, resource, clock));
      } catch (unreadable) {
        const { storeRetryForMs } = this.options;
        const { waiting } = held.lane;
        const tooLong = waiting !== null && waitedTooLong(job, waiting.cause, storeRetryForMs, new Date());
        if (unreadable instanceof ConflictError || !tooLong) throw unreadable;
        log.warn({ err: unreadable }, 'fails with a batch unresolved: its keys stay in the plan');
      }
    }
    await held.write(fail(held.job, error, { instance: this.options.instance, now: new Date() }));
    await held.settle();
    log.error({ code: error.code, totals: held.job.totals }, `deletion failed: ${error.message}`);
  }
}

const tooManyFor = (job: DeletionJob): ErrorInfo => moreThanPlanned(requestOf(job).options.expectedMaxRecords ?? 0);
