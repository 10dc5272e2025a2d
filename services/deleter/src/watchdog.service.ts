import type { Logger } from 'pino';
import type { JobRepository } from './jobs/job.repository.js';
import type { Turns } from './turns.service.js';

const EVERY_MS = 2000;
const AT_ONCE = 1000;
/** A turn that stands in a long queue is not lost: each further nudge waits twice as long. */
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60_000;

interface Nudge {
  turn: number;
  again: number;
  pauseMs: number;
}

/**
 * Publishes again the current turn of every job that should move and was not written for too long: its message was lost
 * with a queue, or its worker died between a write and a publish. It never takes a turn and never writes a job.
 */
export class Watchdog {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | null = null;
  private nudges = new Map<string, Nudge>();

  constructor(
    private readonly jobs: JobRepository,
    private readonly turns: Turns,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.sweeping ??= this.sweep(Date.now())
        .catch((error: unknown) => this.log.warn({ err: error }, 'watchdog could not look'))
        .finally(() => (this.sweeping = null));
    }, EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
  }

  async sweep(now: number): Promise<void> {
    const overdue = await this.jobs.overdue(new Date(now), AT_ONCE);
    const known = this.nudges;
    this.nudges = new Map();
    for (const { id, turn } of overdue) {
      const before = known.get(id);
      const same = before?.turn === turn ? before : null;
      const pauseMs = same ? Math.min(same.pauseMs * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
      const isDue = !same || same.again <= now;
      // Noted before it is sent: a broker that takes only some of them must not be sent those again at each look.
      this.nudges.set(id, isDue ? { turn, again: now + pauseMs, pauseMs } : same);
      if (!isDue) continue;
      await this.turns.now(id, turn);
      this.log.info({ job: id, turn }, 'overdue: its turn is published again');
    }
  }
}
