import { setTimeout as delay } from 'node:timers/promises';
import { restartDelay } from './backoff.js';
import type { GuardedProcess } from './guarded-process.js';

/** One life of a server: a process, or a container. */
export type ServerProcess = Pick<GuardedProcess, 'pid' | 'exited' | 'running' | 'signal'>;

/** What is kept running. */
export interface Part<P extends ServerProcess = ServerProcess> {
  readonly name: string;
  spawn(): P;
  /** Resolves with the pid that does the work, once it does. */
  ready(process: P, signal: AbortSignal): Promise<number>;
  /** Its last words, for the error that says it did not start. */
  lastWords(): string;
}

export interface Supervision {
  /** Starts it again when it dies. */
  readonly supervised: boolean;
  /** Milliseconds from its start until it has to be ready. */
  readonly startWithin: number;
  readonly onPid?: (() => void) | undefined;
  readonly log?: (line: string) => void;
}

/** A process that has lived this long had started well: the next death begins the backoff anew. */
const settled = 10_000;

/** One process after another in the same role, on the same ports, with the same data. */
export class Supervised {
  pid = 0;
  #process: ServerProcess | null = null;
  #recovery: Promise<void> | null = null;
  #hurry = new AbortController();
  #stopped = false;
  #deaths = 0;

  constructor(
    readonly part: Part,
    private readonly options: Supervision,
  ) {}

  get name(): string {
    return this.part.name;
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  async start(): Promise<void> {
    const startedAt = Date.now();
    const process = this.part.spawn();
    this.#process = process;
    this.#publish(process.pid);
    const giveUp = new AbortController();
    const dead = process.exited.then((how) => {
      throw new Error(`${this.name} ended (${how}) before it was ready`);
    });
    const late = delay(this.options.startWithin, undefined, { signal: giveUp.signal }).then(() => {
      throw new Error(`${this.name} was not ready within ${this.options.startWithin / 1000} s`);
    });
    try {
      this.#publish(await Promise.race([this.part.ready(process, giveUp.signal), dead, late]));
    } catch (error) {
      giveUp.abort();
      await end(process, 0);
      throw new Error([(error as Error).message, this.part.lastWords()].filter(Boolean).join('\n'), { cause: error });
    } finally {
      giveUp.abort();
    }
    void process.exited.then((how) => {
      if (Date.now() - startedAt > settled) this.#deaths = 0;
      this.#onDeath(how);
    });
  }

  /** To its whole process group. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process?.signal(signal);
  }

  freeze(): void {
    this.kill('SIGSTOP');
  }

  thaw(): void {
    this.kill('SIGCONT');
  }

  /** Resolves when a new process, started after this call or after the death that led to it, is ready. */
  async restart(): Promise<void> {
    if (this.#recovery === null) {
      this.#hurry.abort();
      this.kill('SIGKILL');
      await this.#process?.exited;
    }
    this.#hurry.abort();
    await (this.#recovery ?? this.#recover());
  }

  /** @param patience milliseconds between asking (SIGTERM) and SIGKILL; 0 does not ask */
  async stop(patience: number): Promise<void> {
    this.#stopped = true;
    this.#hurry.abort();
    if (this.#process) await end(this.#process, patience);
    await this.#recovery;
    if (this.#process) await end(this.#process, 0);
  }

  #onDeath(how: string): void {
    if (this.#stopped || !this.options.supervised || this.#recovery !== null) return;
    this.options.log?.(`${this.name} (pid ${this.pid}) ended: ${how}; starting it again`);
    void this.#recover();
  }

  #recover(): Promise<void> {
    this.#recovery ??= this.#untilReady().finally(() => {
      this.#recovery = null;
      this.#hurry = new AbortController();
    });
    return this.#recovery;
  }

  async #untilReady(): Promise<void> {
    while (!this.#stopped) {
      this.#deaths += 1;
      await delay(restartDelay(this.#deaths), undefined, { signal: this.#hurry.signal }).catch(() => undefined);
      if (this.#isStopped()) return;
      this.#hurry = new AbortController();
      try {
        await this.start();
        return;
      } catch (error) {
        if (!this.#isStopped()) this.options.log?.((error as Error).message);
      }
    }
  }

  // A call, because the compiler takes a field it has just seen false for still false after an await.
  #isStopped(): boolean {
    return this.#stopped;
  }

  #publish(pid: number): void {
    if (this.pid === pid) return;
    this.pid = pid;
    this.options.onPid?.();
  }
}

/** Asks, waits, and then does not ask any more. */
async function end(process: ServerProcess, patience: number): Promise<void> {
  if (patience > 0) {
    process.signal('SIGTERM');
    process.signal('SIGCONT');
    await Promise.race([process.exited, delay(patience, undefined, { ref: false })]);
  }
  process.signal('SIGKILL');
  await process.exited;
}
