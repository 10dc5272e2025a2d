import { setTimeout as delayed } from 'node:timers/promises';
import type { WorkerHeartbeat } from '@expunge/contracts';
import { sharedFor } from '@expunge/runtime';
import { type Lane, timing, withLane } from './deletion-job/deletion-job.js';
import { msAtRate } from './deletion-job/pace.js';
import {
  type HeldUp,
  heldUpAfter,
  heldUpMs,
  isUsedUp,
  msUntilAsking,
  type Places,
  yieldsUntil,
} from './deletion-job/shared-limit.js';
import { putBack, startSlice } from './deletion-job/turn.js';
import type { HeldJob } from './held-job.js';
import type { JobRepository } from './jobs/job.repository.js';
import type { SharedLimitRepository } from './jobs/shared-limit.repository.js';
import type { Turns } from './turns.service.js';

/** Whoever was sent away has asked again by then, if it still waits. */
const CROWDED_FOR_MS = 5000;
const FRESH_MS = 1000;

/**
 * MAX_RECORDS_PER_SECOND: what all jobs of all deleters delete together. A job is sent away while the limit is used up,
 * with its message, so that no worker's hands are full of jobs that wait.
 */
export class SharedLimit {
  /** By the local monotonic clock: when this process last sent a job away since places are given far ahead. */
  private crowdedAt = -Infinity;
  private heldUp: HeldUp | null = null;
  private readonly jobsUnderWay = sharedFor(FRESH_MS, () => this.jobs.countUnderWay());

  constructor(
    private readonly places: SharedLimitRepository,
    private readonly jobs: JobRepository,
    private readonly turns: Turns,
    private readonly options: { process: string; maxRecordsPerSecond: number | null },
  ) {}

  /** Null: there is no limit, and nothing is asked. */
  get maxRecordsPerSecond(): number | null {
    return this.options.maxRecordsPerSecond;
  }

  /**
   * Whether the job is worth starting. False: it was put back.
   * @throws TransientError the deleter's own database or the broker is away
   */
  async mayStart(held: HeldJob): Promise<boolean> {
    if (this.maxRecordsPerSecond === null) return true;
    const places = await this.places.places();
    const ms = places ? this.msUntilAsking(places, held.lane) : 0;
    if (ms > 0) await this.putBack(held, ms);
    return ms === 0;
  }

  /**
   * Reserves so many records and waits until they may go, for about a second at most. False: the job was put back.
   * @throws TransientError the deleter's own database or the broker is away
   */
  async mayDelete(held: HeldJob, records: number): Promise<boolean> {
    if (this.maxRecordsPerSecond === null) return true;
    const ms = msAtRate(records, this.maxRecordsPerSecond);
    for (;;) {
      const reserved = await this.places.reserve(ms, this.yields(held.lane));
      const { begins, now } = reserved;
      if (begins === null) {
        await this.putBack(held, this.msUntilAsking(reserved, held.lane));
        return false;
      }
      const until = this.isCrowded() ? yieldsUntil(begins, ms, await this.jobsUnderWay()) : null;
      held.job = withLane(held.job, { yieldsUntil: until });
      const ahead = begins.getTime() - now.getTime();
      this.heldUp = heldUpAfter(this.heldUp, ahead > 0, performance.now());
      if (!(await this.overslept(ahead))) return true;
    }
  }

  /** For the heartbeat; undefined without a limit. */
  told(): WorkerHeartbeat['data']['sharedLimit'] {
    if (this.maxRecordsPerSecond === null) return undefined;
    const ms = heldUpMs(this.heldUp, performance.now());
    return { maxRecordsPerSecond: this.maxRecordsPerSecond, ...(ms !== null && { heldUpMs: ms }) };
  }

  /** Sleeps so long. True: it was much longer, and who was frozen would come together with those whose places are later. */
  private async overslept(ms: number): Promise<boolean> {
    if (ms <= 0) return false;
    const began = performance.now();
    // A timer may be early by less than a millisecond.
    await delayed(ms + 1);
    return performance.now() - began > ms + timing.plan;
  }

  private msUntilAsking(places: Places, lane: Lane): number {
    if (isUsedUp(places)) this.crowdedAt = performance.now();
    const ms = msUntilAsking(places, this.yields(lane));
    if (ms > 0) this.heldUp = heldUpAfter(this.heldUp, true, performance.now());
    return ms;
  }

  /** Written in any case, so that the watchdog does not take the job to be forgotten. */
  private async putBack(held: HeldJob, ms: number): Promise<void> {
    await held.flush();
    await held.write(putBack(held.started ? held.job : startSlice(held.job, this.options.process)));
    await this.turns.later(held.job.id, held.lane.turn, ms);
  }

  /** A job gives way only while others are sent away: one that waited for nobody would not use what it may. */
  private yields({ yieldsUntil: until }: Lane): Date | null {
    return this.isCrowded() ? (until ?? null) : null;
  }

  private isCrowded(): boolean {
    return performance.now() - this.crowdedAt < CROWDED_FOR_MS;
  }
}
