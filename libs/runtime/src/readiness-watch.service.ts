import { isOtherTrouble, type Problems } from './problem.js';
import { problemsIn, type Readiness } from './readiness.js';

const PAUSE_MS = 1000;

/** Asks for readiness each second, one report after the other: an answer that came late follows no newer one. */
export class ReadinessWatch {
  #ready = false;
  #problems: Problems | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    private readonly readiness: Pick<Readiness, 'report'>,
    private readonly onChange: () => void,
    private readonly pauseMs = PAUSE_MS,
  ) {}

  /** False until the first report, and once it is stopped. */
  get ready(): boolean {
    return this.#ready && !this.#stopped;
  }

  /** As last reported. */
  get problems(): Problems | undefined {
    return this.#problems;
  }

  start(): void {
    void this.#look();
  }

  /** What stops a service takes from it what it needs: that is no problem to tell of. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const report = await this.readiness.report();
    if (this.#stopped) return;
    const before = this.#problems;
    this.#problems = problemsIn(report);
    this.#ready = report.ready;
    this.#timer = setTimeout(() => void this.#look(), this.pauseMs);
    this.#timer.unref();
    if (isOtherTrouble(before, this.#problems)) this.onChange();
  }
}
