import type { ServerProcess } from '../process/supervised.js';
import type { Container } from './container.js';

/** One life of a container; the next one has the same address and data. */
export class ContainerProcess implements ServerProcess {
  /** Of its first process, as the engine's host counts; 0 before it has started. */
  pid = 0;
  /** Says how it ended: `exit code 137`. */
  readonly exited: Promise<string>;
  /** @throws Error the engine could not start it */
  readonly started: Promise<void>;
  #running = true;
  /** Signals in the order in which they were sent. */
  #signals: Promise<void>;

  constructor(private readonly container: Container) {
    this.started = container.start().then((pid) => {
      this.pid = pid;
    });
    this.#signals = this.started.catch(() => undefined);
    this.exited = this.started
      .then(() => container.ended())
      .catch((error: unknown) => (error as Error).message)
      .finally(() => {
        this.#running = false;
      });
  }

  get running(): boolean {
    return this.#running;
  }

  /** To its first process; a stop holds all of them. */
  signal(signal: NodeJS.Signals): void {
    this.#signals = this.#signals.then(async () => {
      if (this.#running) await this.container.signal(signal).catch(() => undefined);
    });
  }
}
