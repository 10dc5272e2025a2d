import { currentTraceparent } from '@expunge/telemetry';
import { type DeletionJob, type Lane, timing } from './deletion-job/deletion-job.js';
import { traced, withoutFlushed } from './deletion-job/emit.js';
import { stillAtIt } from './deletion-job/no-progress.js';
import type { JobRepository } from './jobs/job.repository.js';
import type { Outbox } from './outbox.service.js';

/** The job as this worker last read or wrote it. It loses it to whoever writes in between (ConflictError). */
export class HeldJob {
  private flushed = new Set<string>();
  /** Whether this slice was counted as an attempt. */
  started = false;
  /** How long the last write took: a plan's time begins only when it is written. */
  writeMs = 0;

  constructor(
    public job: DeletionJob,
    private readonly jobs: JobRepository,
    private readonly outbox: Outbox,
  ) {}

  get lane(): Lane {
    return this.job.lanes[0];
  }

  /** One write: the change, and the outbox without what is out by now. */
  async write(change: DeletionJob): Promise<void> {
    const began = performance.now();
    this.job = await this.jobs.write(traced(withoutFlushed(change, this.flushed), currentTraceparent()));
    this.writeMs = performance.now() - began;
    this.flushed = new Set();
  }

  /** Publishes what the last write put into the outbox. */
  async flush(): Promise<void> {
    const flushed = await this.outbox.flush(this.job);
    for (const id of flushed) this.flushed.add(id);
  }

  /**
   * Tells the watchdog, while something takes long, that somebody is at it. No write of its own: the revision stays, so
   * it is without effect once somebody moved on. Until it has taken `longestMs` without progress: then the watchdog is to
   * bring somebody who judges that.
   */
  keepAlive(longestMs: number): Disposable {
    const timer = setInterval(() => {
      this.job = stillAtIt(this.job, new Date());
      if ((this.lane.noProgress?.ms ?? 0) > longestMs) {
        clearInterval(timer);
        return;
      }
      this.jobs.touch(this.job).catch(() => undefined);
    }, timing.keepAlive).unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** For a job that nobody is about to write: an outbox left for a later write would stand for ever. */
  async settle(): Promise<void> {
    await this.flush();
    if (this.job.outbox.length > 0) await this.write(this.job);
  }
}
